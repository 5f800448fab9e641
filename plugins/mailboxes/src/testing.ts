// For tests of everything that stands on the message store: the consistency check after each test.
import { deepStrictEqual } from 'node:assert'
import type { Mailboxes } from '@mox/plugin-sdk'

/**
 * Runs the consistency check after every test of the file, or of the enclosing `describe`: `verifyAfterEach(afterEach, () => mailboxes)`.
 * Works with vitest and node:test. `mailboxes` may give undefined when a test has no store.
 */
export function verifyAfterEach(
  afterEach: (check: () => Promise<void>) => void,
  mailboxes: () => Mailboxes | undefined,
): void {
  afterEach(async () => deepStrictEqual((await mailboxes()?.verify()) ?? [], []))
}
