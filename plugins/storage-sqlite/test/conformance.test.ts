import { createRequire } from 'node:module'
import { storageConformance } from '@mox/plugin-sdk/testkit'
import { describe, test } from 'vitest'
import { openTemporary } from './support.ts'

describe('better-sqlite3', () => {
  storageConformance({ test, open: () => openTemporary() })
})

const installed = (() => {
  try {
    createRequire(import.meta.url).resolve('sqlite3')
    return true
  } catch {
    return false
  }
})()

describe.skipIf(!installed)(installed ? 'sqlite3' : 'sqlite3 (skipped: the package is not installed)', () => {
  storageConformance({ test, open: () => openTemporary('sqlite3') })
})
