// Options of the localserve plugin. A mistake stops the start with a text that names the option and what it may be.
import { z } from 'zod'
import { scenario } from './scenario/schema.ts'

export const options = z.strictObject({
  scenarios: z
    .record(z.string(), scenario)
    .default({})
    .describe('How the servers of recipient domains behave, by domain; files say it too'),
  scenarioDir: z
    .string()
    .min(1)
    .default('../scenarios')
    .describe('Directory of scenarios, one file DOMAIN.json each; relative to the data directory'),
  home: z
    .string()
    .regex(/^\/[a-z/]+$/, 'must be a path on this server, such as "/webmail/"')
    .optional()
    .describe(
      'Where a browser that opens / is sent; default: nowhere, the page of messages is there as well as at /messages',
    ),
})
