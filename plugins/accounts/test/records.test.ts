// Records of logins: merged, written later, kept for 30 days, capped for each account.
import { expect, test } from 'vitest'
import { FAILED_PER_ACCOUNT, FLUSH_MS, KEEP_DAYS, PENDING, TEXT_LENGTH } from '../src/attempts.ts'
import { LOGIN, type LoginRow } from '../src/schema.ts'
import { context, openWorld, PASSWORD, type World } from './support/world.ts'

const DAY = 86_400_000

async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld({
    domains: { 'example.org': {} },
    accounts: { alice: { addresses: ['alice@example.org'], password: PASSWORD } },
    loginLimits: false,
  })
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

async function logins(world: World, words: string = ''): Promise<string[]> {
  const rows = await world.rows(`account logins ${words}`)
  return rows.map(r => `${r['count']} ${r['account']} ${r['login']} ${r['from']} ${r['mechanism']} ${r['result']}`)
}

test('attempts that are alike are one row', async () => {
  await withWorld(async world => {
    const { directory, host } = world
    const name = 'alice@example.org'
    const first = host.clock.now()
    await directory.login(name, PASSWORD, context())
    await host.advance(1000)
    await directory.login(name, PASSWORD, context())
    await directory.login(name, 'wrong horse', context())
    await directory.login('Nobody@Example.com', 'wrong horse', context())
    await directory.login('no name at all', 'wrong horse', context({ userAgent: 'a\r\nb' }))
    await directory.login(name, PASSWORD, context({ tls: { version: 'TLSv1.3', cipher: 'AES' } }))
    expect((await logins(world)).sort()).toEqual([
      '1 - Nobody@example.com 192.0.2.1 password baduser',
      '1 - no name at all 192.0.2.1 password baduser',
      '1 alice alice@example.org 192.0.2.1 password badpassword',
      '1 alice alice@example.org 192.0.2.1 password ok',
      '2 alice alice@example.org 192.0.2.1 password ok',
    ])
    const [twice] = (await world.rows('account logins alice')).filter(r => r['count'] === 2)
    expect(twice).toMatchObject({
      first: new Date(first).toISOString(),
      last: new Date(first + 1000).toISOString(),
      protocol: 'submission',
      tls: '',
    })
    await directory.login(name, PASSWORD, context())
    expect(await logins(world, 'alice')).toContain('3 alice alice@example.org 192.0.2.1 password ok')
    expect(await logins(world, '-')).toHaveLength(2)
    expect(await logins(world, 'alice')).toHaveLength(3)
    const failed = await world.mox('account logins', { failed: true })
    expect(failed.kind === 'rows' && failed.rows.length).toBe(3)
    expect(world.counted.get('mox_authentication_total{submission password ok}')).toBe(4)
    expect(world.counted.get('mox_authentication_total{submission password baduser}')).toBe(2)
    const agents = await world.storage.db<LoginRow>(LOGIN).where('user_agent', '<>', '').select('user_agent')
    expect(agents).toEqual([{ user_agent: 'a\ufffd\ufffdb' }])
  })
})

test('they are written by themselves, cut to size, and removed after 30 days', async () => {
  await withWorld(async world => {
    const stored = async (): Promise<LoginRow[]> => await world.storage.db<LoginRow>(LOGIN).select('*')
    await world.directory.login('x'.repeat(TEXT_LENGTH + 1), 'wrong horse', context())
    expect(await stored()).toHaveLength(0)
    await world.host.advance(FLUSH_MS)
    await world.mox('account logins')
    const [row] = await stored()
    expect(row?.login_address).toBe('x'.repeat(TEXT_LENGTH))
    await world.host.advance((KEEP_DAYS - 1) * DAY)
    expect(await stored()).toHaveLength(1)
    await world.directory.login('another', 'wrong horse', context())
    await world.mox('account logins')
    await world.host.advance(2 * DAY)
    await world.mox('account logins')
    expect((await stored()).map(r => r.login_address)).toEqual(['another'])
  })
})

test('at most 10,000 failed ones of an account, oldest first', async () => {
  await withWorld(async world => {
    const now = world.host.clock.now()
    const rows = Array.from({ length: FAILED_PER_ACCOUNT }, (_, i): LoginRow => {
      const text = {
        login_address: '',
        remote_ip: '',
        local_ip: '',
        tls: '',
        protocol: '',
        user_agent: '',
        mechanism: '',
      }
      const at = { first_at: now - FAILED_PER_ACCOUNT + i, last_at: now - FAILED_PER_ACCOUNT + i }
      return { id: String(i), account: '-', ...text, result: 'baduser', success: 0, attempts: 1, ...at }
    })
    await world.storage.write(async db => {
      for (let i = 0; i < rows.length; i += 500) await db<LoginRow>(LOGIN).insert(rows.slice(i, i + 500))
    })
    const failed = async (): Promise<number> => {
      const [row] = await world.storage.db<LoginRow>(LOGIN).where({ account: '-', success: 0 }).count({ n: '*' })
      return Number(row?.['n'])
    }
    await world.directory.login('alice@example.org', 'wrong horse', context())
    await world.mox('account logins')
    expect(await failed()).toBe(FAILED_PER_ACCOUNT)
    await world.directory.login('nobody', 'wrong horse', context())
    await world.mox('account logins')
    expect(await failed()).toBe(FAILED_PER_ACCOUNT)
    const ids = await world.storage.db<LoginRow>(LOGIN).whereIn('id', ['0', '1']).select('id')
    expect(ids).toEqual([{ id: '1' }])
  })
})

test('a flood is recorded up to a bound, and what is dropped is told', async () => {
  await withWorld(async world => {
    const { directory, host } = world
    // Refused before any hash is computed, and recorded all the same.
    const attempt = async (i: number): Promise<void> => {
      await directory.sasl('PLAIN', context({ remoteIp: `10.0.${i >> 8}.${i & 255}` }))?.step(Buffer.from('x'))
    }
    const count = async (): Promise<number> =>
      Number((await world.storage.db<LoginRow>(LOGIN).count({ n: '*' }))[0]?.['n'])
    for (let i = 0; i < PENDING; i++) await attempt(i)
    await world.mox('account logins')
    expect(await count()).toBe(PENDING)
    expect(host.log.texts('warn').filter(t => t.includes('too many'))).toEqual([])
    for (let i = 0; i <= PENDING; i++) await attempt(PENDING + i)
    await world.mox('account logins')
    expect(await count()).toBe(2 * PENDING)
    expect(host.log.texts('warn')).toContain('warn login attempts were not recorded: too many')
  })
})
