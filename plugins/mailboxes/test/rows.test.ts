// Names, flags and threads as rows.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { expect, test } from 'vitest'
import { isKeyword, joinWords, KEYWORD_LENGTH, mergeWords, parseWords, splitWords } from '../src/flags.ts'
import { ancestorNames, mailboxName, NAME_OCTETS, parentName } from '../src/names.ts'
import {
  type Candidate,
  link,
  linksBySubject,
  lookups,
  REFERENCES,
  references,
  type ThreadHead,
} from '../src/threads.ts'

test('mailbox names', () => {
  const check = (text: string, expected: string) => {
    const result = mailboxName(text)
    strictEqual(result.ok ? result.name : `error: ${result.error}`, expected)
  }
  check('Inbox', 'Inbox')
  check('INBOX', 'Inbox')
  check('inBox/Sub', 'Inbox/Sub')
  check('a/inbox', 'a/inbox')
  check('Lists/%*&', 'Lists/%*&')
  check('Entwürfe', 'Entwürfe')
  check('a#', 'a#')
  check('...', '...')
  check(' ', ' ')
  check('', 'error: empty mailbox name')
  check('Entwu\u0308rfe', 'error: mailbox name is not in normalization form C')
  check('a\u0000', 'error: control character in mailbox name')
  check('a\u0085', 'error: control character in mailbox name')
  check('a\u2028', 'error: control character in mailbox name')
  check('a\ud800', 'error: mailbox name is not valid Unicode')
  check('#a', 'error: mailbox name starts with #')
  check('/a', 'error: mailbox name starts or ends with a slash')
  check('a/', 'error: mailbox name starts or ends with a slash')
  check('/', 'error: mailbox name starts or ends with a slash')
  check('a//b', 'error: double slash in mailbox name')
  check('a/./b', 'error: . or .. in mailbox name')
  check('..', 'error: . or .. in mailbox name')
  check('x'.repeat(NAME_OCTETS), 'x'.repeat(NAME_OCTETS))
  check('x'.repeat(NAME_OCTETS + 1), 'error: mailbox name too long')
  check('ü'.repeat(NAME_OCTETS / 2) + 'x', 'error: mailbox name too long')
})

test('parents', () => {
  deepStrictEqual(ancestorNames('a'), [])
  deepStrictEqual(ancestorNames('a/b/c'), ['a', 'a/b'])
  strictEqual(parentName('a'), '')
  strictEqual(parentName('a/b/c'), 'a/b')
})

test('words', () => {
  const check = (words: string[], flags: string[], keywords: string[], bad: string[] = []) => {
    deepStrictEqual(parseWords(words), { flags, keywords, bad })
  }
  check([], [], [])
  check(['Work', 'b', 'work'], [], ['b', 'work'])
  check(['\\Seen', '$Junk', '$MDNSent', '$label1'], ['seen', 'junk', 'mdnSent'], ['$label1'])
  check(['$NonJunk', '$NotJunk'], ['notjunk'], [])
  check(
    ['\\Recent', 'a b', '', 'a(', 'ä', 'x]', 'x%', 'x"'],
    [],
    [],
    ['\\Recent', 'a b', '', 'a(', 'ä', 'x]', 'x%', 'x"'],
  )
  strictEqual(isKeyword('k'.repeat(KEYWORD_LENGTH)), true)
  strictEqual(isKeyword('k'.repeat(KEYWORD_LENGTH + 1)), false)
  strictEqual(isKeyword('Upper'), false)
})

test('word columns', () => {
  strictEqual(joinWords([]), '')
  strictEqual(joinWords(['a', 'b']), ' a b ')
  deepStrictEqual(splitWords(' a b '), ['a', 'b'])
  deepStrictEqual(splitWords(''), [])
  strictEqual(mergeWords(' b ', ' a c '), ' a b c ')
  strictEqual(mergeWords('', ' a '), ' a ')
  strictEqual(mergeWords(' a b ', ' b '), ' a b ')
})

test('references', () => {
  deepStrictEqual(references(['a', 'b'], ['b']), ['a', 'b'])
  deepStrictEqual(references(['b', 'a'], ['b']), ['a', 'b'])
  deepStrictEqual(references([], ['c']), ['c'])
  const many = Array.from({ length: REFERENCES + 1 }, (_, i) => `${i}`)
  strictEqual(references(many.slice(1), []).length, REFERENCES)
  deepStrictEqual(references(many, []), many.slice(1))
})

test('threads', () => {
  const head = (fields: Partial<ThreadHead>): ThreadHead => ({
    messageId: 'new',
    references: [],
    subjectBase: 's',
    isReply: false,
    dsn: false,
    ...fields,
  })
  const stored = (id: number, messageId: string, base = 's', expunged = 0): Candidate => ({
    id,
    mailbox_id: 1,
    is_reject: 0,
    expunged_at: expunged,
    message_id_header: messageId,
    subject_base: base,
    thread_id: id,
    thread_muted: 0,
    thread_collapsed: 0,
  })
  const check = (
    fields: Partial<ThreadHead>,
    candidates: Candidate[],
    parent: number | undefined,
    missing: boolean,
  ) => {
    const found = link(head(fields), candidates)
    expect({ parent: found.parent?.id, missing: found.missingLink }).toEqual({ parent, missing })
  }
  check({}, [], undefined, false)
  check({}, [stored(2, 'new'), stored(1, 'new', 'other')], 1, true)
  check({ messageId: '' }, [stored(1, '')], undefined, false)
  check({ references: ['a', 'b'] }, [], undefined, true)
  check({ references: ['a', 'b'] }, [stored(1, 'a'), stored(2, 'b')], 2, false)
  check({ references: ['a', 'b'] }, [stored(1, 'a')], 1, true)
  check({ references: ['a', 'b'] }, [stored(1, 'a'), stored(2, 'b', 'other')], 1, true)
  check({ references: ['b'] }, [stored(2, 'b', 'other')], undefined, true)
  check({ references: ['b'], dsn: true }, [stored(2, 'b', 'other')], 2, false)
  check({ references: ['b'] }, [stored(9, 'b'), stored(3, 'b')], 3, false)
  check({ references: ['b'] }, [stored(9, 'b'), stored(3, 'b', 's', 1)], 9, false)
  check({}, [stored(1, 'new', 's', 1)], undefined, false)

  deepStrictEqual(lookups(head({ references: ['a', 'new'] })), ['new', 'a'])
  deepStrictEqual(lookups(head({ messageId: '', references: ['a'] })), ['a'])
  strictEqual(linksBySubject(head({ isReply: true })), true)
  strictEqual(linksBySubject(head({ isReply: true, subjectBase: '' })), false)
  strictEqual(linksBySubject(head({ isReply: true, references: ['a'] })), false)
  strictEqual(linksBySubject(head({})), false)
})
