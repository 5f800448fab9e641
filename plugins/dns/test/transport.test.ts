// One question over UDP and TCP: what is sent, which answers are believed, and what is done about the others.
import assert from 'node:assert/strict'
import codec, { type Opt } from 'dns-packet'
import { test } from 'vitest'
import { STRANGERS_LIMIT } from '../src/udp.ts'
import { failure, withRig } from './support/rig.ts'
import { type Asked, a, answer, framed, type Script, scriptedServer } from './support/server.ts'

const good = (asked: Asked, data = '192.0.2.1'): Buffer => answer(asked, { answers: [a(asked.name, data)] })
const bad = (asked: Asked): Buffer => good(asked, '203.0.113.66')
/** The same packet with some octets changed. */
const altered = (packet: Buffer, at: number, ...octets: readonly number[]): Buffer => {
  const copy = Buffer.from(packet)
  copy.set(octets, at)
  return copy
}

test('a query has a fresh id and port, asks for recursion and AD, and has EDNS with 1232 octets and without DO', async () => {
  await withRig(good, async ({ resolve, server }) => {
    for (let i = 0; i < 20; i++) await resolve(`${i}.example.org`, 'A')
    assert.ok(new Set(server.asked.map(({ port }) => port)).size >= 15)
    assert.equal(new Set(server.asked.map(({ packet }) => packet.id)).size, 20)
    const { packet } = server.asked[0]!
    assert.equal(packet.flags, codec.RECURSION_DESIRED | codec.AUTHENTIC_DATA)
    const { udpPayloadSize, ...opt } = packet.additionals[0] as Opt & { readonly flag_do: boolean }
    assert.deepEqual([opt.type, udpPayloadSize, opt.flag_do, opt.options], ['OPT', 1232, false, []])
  })
})

test('what does not answer the question is ignored', async () => {
  const ignored = async (script: (asked: Asked) => readonly Buffer[] | Promise<readonly Buffer[]>): Promise<void> => {
    const both = async (asked: Asked) => [...(await script(asked)), good(asked)]
    await withRig(both, async ({ resolve, server }) => {
      assert.deepEqual((await resolve('Example.org.', 'A')).records, ['192.0.2.1'])
      assert.deepEqual(server.log, ['A example.org udp'])
    })
  }
  await ignored(asked => [answer(asked, { id: asked.packet.id ^ 1, answers: [a('example.org', '203.0.113.66')] })])
  await ignored(asked => [answer(asked, { question: { name: 'example.com', type: 'A' } })])
  await ignored(asked => [answer(asked, { question: { name: 'example.org', type: 'MX' } })])
  await ignored(asked => [answer(asked, { question: { name: 'example.org', type: 'A', class: 'CH' } })])
  // No question, two questions, a query, another opcode.
  await ignored(asked => [altered(bad(asked), 4, 0, 0)])
  await ignored(asked => [altered(bad(asked), 4, 0, 2)])
  await ignored(asked => [asked.octets])
  await ignored(asked => [altered(bad(asked), 2, 0xa1)])
  // Garbage: nothing, less than a header, a bare header that says "no such name".
  await ignored(asked => [Buffer.alloc(0), Buffer.from('x'), asked.octets.subarray(0, 11)])
  await ignored(asked => [altered(bad(asked), 3, 0x83).subarray(0, 12)])
  await ignored(() => [Buffer.alloc(512, 0xff), Buffer.alloc(1232, 0xc0)])
  // From another port, with everything else right.
  await ignored(async asked => {
    await asked.fromStranger(bad(asked))
    return []
  })
})

test('the question may come back in other case', async () => {
  const script: Script = asked =>
    answer(asked, { question: { name: 'eXAMPLE.Org', type: 'A' }, answers: [a('EXAMPLE.org')] })
  await withRig(script, async ({ resolve }) => {
    assert.deepEqual(await resolve('example.ORG', 'A'), {
      ...{ status: 'found', records: ['192.0.2.1'], canonical: 'example.org', authentic: false, ttl: 300 },
    })
  })
})

test(`after ${STRANGERS_LIMIT} datagrams that do not fit the question goes over TCP`, async () => {
  const check = async (strangers: number, expected: readonly string[]): Promise<void> => {
    const script: Script = asked =>
      asked.via === 'tcp' ? good(asked) : [...Array<Buffer>(strangers).fill(Buffer.from('?')), good(asked)]
    await withRig(script, async ({ resolve, server }) => {
      assert.deepEqual((await resolve('example.org', 'A')).records, ['192.0.2.1'])
      assert.deepEqual(server.log, expected)
    })
  }
  await check(STRANGERS_LIMIT - 1, ['A example.org udp'])
  await check(STRANGERS_LIMIT, ['A example.org udp', 'A example.org tcp'])
})

const truncated = (asked: Asked): Buffer => answer(asked, { tc: true, answers: [a(asked.name, '203.0.113.66')] })
const long = (asked: Asked, count: number): Buffer =>
  answer(asked, { answers: Array.from({ length: count }, (_, i) => a(asked.name, `192.0.${i >> 8}.${i & 255}`)) })

test('a truncated answer is asked for over TCP', async () => {
  const script: Script = asked => (asked.via === 'udp' ? truncated(asked) : long(asked, 500))
  await withRig(script, async ({ resolve, server }) => {
    assert.equal((await resolve('example.org', 'A')).records.length, 500)
    assert.deepEqual(server.log, ['A example.org udp', 'A example.org tcp'])
  })
})

test('TCP: octet by octet, with more behind it, and at 65,535 octets', async () => {
  const check = async (
    reply: (asked: Asked) => Buffer,
    write: (asked: Asked, frame: Buffer) => void,
  ): Promise<void> => {
    const script: Script = asked => {
      if (asked.via === 'udp') return truncated(asked)
      write(asked, framed(reply(asked)))
      return undefined
    }
    await withRig(script, async ({ resolve }) => {
      assert.equal((await resolve('example.org', 'A')).records.length, 3)
    })
  }
  const three = (asked: Asked): Buffer => long(asked, 3)
  await check(three, ({ socket }, frame) => {
    let at = 0
    const next = (): void => {
      if (at < frame.length) socket?.write(frame.subarray(at, ++at), () => setImmediate(next))
    }
    next()
  })
  await check(three, ({ socket }, frame) => socket?.write(Buffer.concat([frame, Buffer.alloc(100_000, 1)])))
  const longest = (asked: Asked): Buffer => Buffer.concat([three(asked), Buffer.alloc(65_535)]).subarray(0, 65_535)
  await check(longest, ({ socket }, frame) => socket?.write(frame))
})

test('TCP answers that cannot be used', async () => {
  const check = async (over: (asked: Asked) => Buffer | undefined, expected: RegExp): Promise<void> => {
    await withRig(
      asked => (asked.via === 'udp' ? truncated(asked) : over(asked)),
      async ({ resolve, server }) => {
        const { code, message } = await failure(resolve('example.org', 'A'))
        assert.match(`${code} ${message}`, expected)
        assert.deepEqual(server.log, ['A example.org udp', 'A example.org tcp'])
      },
    )
  }
  await check(
    asked => answer(asked, { id: asked.packet.id ^ 1 }),
    /^malformed A example\.org: 127\S+ the answer cannot be read: it answers something else$/,
  )
  await check(asked => answer(asked, { question: { name: 'example.com', type: 'A' } }), /it answers something else/)
  await check(() => Buffer.alloc(0), /it answers something else/)
  const end = (asked: Asked, octets: Buffer): undefined => void asked.socket?.end(octets)
  await check(asked => end(asked, Buffer.alloc(0)), /the connection ended before the answer/)
  await check(asked => end(asked, framed(good(asked)).subarray(0, 20)), /the connection ended before the answer/)
})

test('TCP: a server that stops in the middle meets the time limit', async () => {
  await withRig(
    asked => {
      if (asked.via === 'udp') return truncated(asked)
      asked.socket?.write(framed(good(asked)).subarray(0, 20))
      return undefined
    },
    async ({ resolve, server, host }) => {
      const failed = failure(resolve('example.org', 'A'))
      await server.heard(2)
      await host.advance(5000)
      await server.heard(4)
      await host.advance(5000)
      assert.match((await failed).message, /^A example\.org: 127\S+ no answer in 5 s$/)
      assert.equal(host.clock.pending, 0)
    },
  )
})

test('a server without EDNS is asked again without it, once', async () => {
  const check = async (
    refusal: (asked: Asked) => Buffer,
    again: (asked: Asked) => Buffer,
    expected: string,
  ): Promise<void> => {
    await withRig(
      asked => (asked.packet.additionals.length > 0 ? refusal(asked) : again(asked)),
      async ({ resolve, server }) => {
        const said = await resolve('example.org', 'A').then(
          ({ records }) => records.join(),
          ({ code }) => code,
        )
        assert.deepEqual([said, server.asked.length], [expected, 2])
      },
    )
  }
  const formErr = (asked: Asked): Buffer => answer(asked, { rcode: 1 })
  const bare = (asked: Asked): Buffer => altered(formErr(asked), 4, 0, 0).subarray(0, 12)
  await check(formErr, good, '192.0.2.1')
  await check(bare, good, '192.0.2.1')
  await check(formErr, formErr, 'servfail')
  await check(bare, bare, 'malformed')
})

test('a server on ::1', async () => {
  const server = await scriptedServer(asked => (asked.via === 'udp' ? truncated(asked) : good(asked)), '::1')
  try {
    await withRig(
      [],
      async ({ resolve }) => {
        assert.deepEqual((await resolve('example.org', 'A')).records, ['192.0.2.1'])
      },
      { servers: [server.address] },
    )
  } finally {
    await server.close()
  }
})
