// What the webmail needs of others.
import {
  clock,
  destinationPolicies,
  directory,
  dns,
  log,
  loginSecurity,
  mailboxes,
  metrics,
  optional,
  queueControl,
  random,
  type ServicesOf,
  storage,
  submission,
  system,
  webmailExtensions,
} from '@mox/plugin-sdk'

export const needs = {
  ...{ clock, directory, log, mailboxes, metrics, queueControl, random, storage, submission, system },
  ...{ webmailExtensions, destinationPolicies, dns: optional(dns), loginSecurity: optional(loginSecurity) },
}

export type Services = ServicesOf<typeof needs>
