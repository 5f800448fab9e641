// What archives are made of, line by line: mbox, times, names of files.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { test } from 'vitest'
import { type ArchivePath, archivePath } from '../src/archive-paths.ts'
import { maildirFacts } from '../src/import-message.ts'
import { formatFromTime, fromTime, mboxLines } from '../src/mbox.ts'

test('lines, times and names of files', () => {
  const time = (line: string, expected: string | null) =>
    strictEqual(fromTime(line) === undefined ? null : new Date(fromTime(line) ?? 0).toISOString(), expected)
  time('From a Thu Jan  1 10:00:00 2026', '2026-01-01T10:00:00.000Z')
  time('From a@b Thu Jan 11 10:00:00 +0200 2026\r\n', '2026-01-11T08:00:00.000Z')
  time('From 12@xxx Sat Feb 28 10:00:00 2026 -0130', '2026-02-28T11:30:00.000Z')
  time('From a Thu Jax  1 10:00:00 2026', null)
  time('From a', null)
  strictEqual(formatFromTime(Date.UTC(2026, 1, 3, 4, 5, 6)), 'Tue Feb  3 04:05:06 2026')
  strictEqual(
    mboxLines(Buffer.from('From a\r\n>From b\r\nFromage\nx From ')).toString(),
    '>From a\n>>From b\nFromage\nx From ',
  )
  deepStrictEqual(maildirFacts('1700000000.M1P2.host,S=1:2,PRSTDFab'), {
    receivedAt: 1_700_000_000_000,
    flags: { forwarded: true, answered: true, seen: true, deleted: true, draft: true, flagged: true },
    letters: 'ab',
  })
  deepStrictEqual(maildirFacts('x'), { receivedAt: undefined, flags: {}, letters: '' })
  const path = (text: string, expected: string, prefix = '', folder = false) => {
    const what: ArchivePath = archivePath(text, folder, prefix)
    const mailbox = 'mailbox' in what ? ` ${what.mailbox}` : ''
    strictEqual(`${what.kind}${mailbox}`, expected)
  }
  path('./cur/1.x:2,S', 'message Inbox')
  path('INBOX/new/1', 'message Inbox')
  path('a/b/tmp/1', 'message a/b')
  path('.Archive.2025/cur/1', 'message Archive/2025')
  path('Mail/.Sent/cur/1', 'message Mail/Sent')
  path('Mail/.Sent/cur/1', 'message Sent', 'Mail/')
  path('a/cur', 'mailbox a', '', true)
  path('a', 'ignored', '', true)
  path('Takeout/Mail/All mail.mbox', 'mbox All mail', '/Takeout/Mail/')
  path('Old.MBOX', 'mbox Old')
  path('a/.mbox', 'mbox a')
  path('a/dovecot-keywords', 'keywords a')
  path('mox-export.json', 'manifest')
  path('a/mox-export.json', 'unusable')
  path('a/mox-metadata.12.jsonl', 'metadata a')
  path('dovecot.index.log', 'ignored')
  path('errors.txt', 'ignored')
  path('readme.txt', 'unusable')
  path('../cur/1', 'unusable')
  path('/cur/1', 'unusable')
  path('a\\b/cur/1', 'unusable')
  path('a/\u0000/cur/1', 'unusable')
  path('#a/cur/1', 'unusable')
  path('Entwu\u0308rfe/cur/1', 'message Entwürfe')
})
