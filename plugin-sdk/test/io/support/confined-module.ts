// What the confined process of the tests does with its requests.
import { answerRequests } from '../../../src/io/index.ts'

const kept: unknown[] = []

answerRequests(async ({ what, bytes }: { readonly what: string; readonly bytes?: Uint8Array }) => {
  switch (what) {
    case 'bytes':
      return bytes?.toReversed()
    case 'process':
      return { pid: process.pid, env: Object.keys(process.env) }
    // Each ends a whole program when a thread does it.
    case 'strings':
      for (let i = 0; ; i++) kept.push('x'.repeat(100_000) + i)
    case 'map':
      for (const map = new Map(); ; ) map.set(map.size, { kept })
    case 'split':
      for (const text = 'a,'.repeat(2 ** 22); ; ) kept.push(text.split(','))
    case 'exit':
      return process.exit(3)
    case 'loop':
      for (;;);
    default:
      throw new Error('not known')
  }
})
