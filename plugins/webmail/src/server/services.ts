// What the webmail needs of others.
import {
  clock,
  directory,
  log,
  mailboxes,
  metrics,
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
  webmailExtensions,
}

export type Services = ServicesOf<typeof needs>
