// `mox dns lookup`: what it shows of answers and failures.
import assert from 'node:assert/strict'
import { type CommandResult, commands, UsageError } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { type Rig, withRig } from './support/rig.ts'
import { a, answer, cname, errors, mx, type Script, soa } from './support/server.ts'

const zone: Script = asked => {
  if (asked.type === 'TLSA')
    return answer(asked, {
      ad: true,
      answers: [
        {
          ...{ type: 'TLSA', name: asked.name, ttl: 60 },
          data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('c0ffee', 'hex') },
        },
      ],
    })
  if (asked.name === 'bogus.test') return answer(asked, { rcode: 2, additionals: [errors([6, 'bad signature'])] })
  if (asked.name === 'www.test') return answer(asked, { answers: [cname('www.test', 'host.test', 30), a('host.test')] })
  if (asked.type === 'MX')
    return answer(asked, { answers: [mx(asked.name, 10, 'one.test'), mx(asked.name, 20, 'two.test')] })
  return answer(asked, { rcode: 3, authorities: [soa('test')] })
}

async function run({ host }: Rig, limit: number, ...given: readonly string[]): Promise<CommandResult> {
  const command = host.service(commands).find(({ path }) => path.join(' ') === 'dns lookup')!
  return await command.run({ arguments: given, flags: new Map(), limit })
}

test('rows', async () => {
  await withRig(zone, async rig => {
    const check = async (
      given: readonly string[],
      expected: readonly string[],
      limit = 100,
      more = false,
    ): Promise<void> => {
      const result = await run(rig, limit, ...given)
      assert.ok(result.kind === 'rows')
      assert.deepEqual(result.columns, ['name', 'type', 'status', 'authentic', 'ttl', 'record'])
      assert.deepEqual(
        result.rows.map(row => result.columns.map(column => row[column]).join(' ')),
        expected,
      )
      assert.equal(result.more, more)
    }
    await check(['www.test'], ['host.test A found false 30 192.0.2.1'])
    await check(['a.test', 'mx'], ['a.test MX found false 300 10 one.test', 'a.test MX found false 300 20 two.test'])
    await check(['a.test', 'mx'], ['a.test MX found false 300 10 one.test'], 1, true)
    await check(['_25._tcp.test', 'TLSA'], ['_25._tcp.test TLSA found true 60 3 1 1 c0ffee'])
    await check(['bücher.test', 'AAAA'], ['xn--bcher-kva.test AAAA nxdomain false 60 '])
  })
})

test('failures and mistakes', async () => {
  await withRig(zone, async rig => {
    const check = async (given: readonly string[], expected: RegExp): Promise<void> => {
      const result = await run(rig, 100, ...given)
      assert.ok(result.kind === 'text' && result.failed === true)
      assert.match(result.text, expected)
    }
    await check(
      ['bogus.test'],
      /^servfail: A bogus\.test: .*SERVFAIL \(6 bad signature\)\nextended error 6 bad signature$/,
    )
    await check(['a..test'], /^malformed: "a\.\.test" cannot be looked up: a label is empty$/)
    await assert.rejects(
      run(rig, 100, 'a.test', 'AXFR'),
      new UsageError('"AXFR" is no record type; use one of A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, TLSA'),
    )
    await assert.rejects(run(rig, 100, 'a.test', 'toString'), UsageError)
    await assert.rejects(run(rig, 100, 'ü ü'), UsageError)
  })
})

test('the servers are asked, not the cache; what they say is then remembered', async () => {
  await withRig(zone, async rig => {
    const { resolve, server } = rig
    await resolve('www.test', 'A')
    await run(rig, 100, 'www.test')
    assert.equal(server.asked.length, 2)
    await resolve('www.test', 'A')
    assert.equal(server.asked.length, 2)
  })
})
