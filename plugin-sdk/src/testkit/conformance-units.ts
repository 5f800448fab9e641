// Conformance of units of work where it is easy to get wrong: contexts, nesting, handles that outlive their unit.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Storage } from '../services/storage.ts'
import { type Check, hashOf, items, keep, names } from './conformance-support.ts'

export function unitChecks(check: Check): void {
  check('units: run in the context of their caller, and what runs after them in no unit', async s => {
    await items(s)
    const caller = new AsyncLocalStorage<string>()
    const seen: string[] = []
    await Promise.all(
      ['a', 'b', 'c'].map(name =>
        caller.run(name, async () => {
          await s.write(async () => {
            seen.push(`in ${name} ${caller.getStore()} ${s.inUnit()}`)
            s.afterCommit(() => void seen.push(`after ${name} ${caller.getStore()} ${s.inUnit()}`))
          })
        }),
      ),
    )
    assert.deepEqual(seen.sort(), ['a', 'b', 'c'].flatMap(n => [`after ${n} ${n} false`, `in ${n} ${n} true`]).sort())
  })

  check('units: what runs after a commit may begin the next unit', async s => {
    await items(s)
    const { promise, resolve } = Promise.withResolvers<unknown>()
    await s.write(async () => {
      s.afterCommit(() => resolve(s.write(() => add(s, 1))))
    })
    await promise
    assert.deepEqual(await names(s), ['n1'])
  })

  check('units: a failing callback after a commit harms nobody', async s => {
    await items(s)
    let ran = false
    await s.write(async () => {
      await add(s, 1)
      s.afterCommit(() => {
        throw new Error('callback')
      })
      s.afterCommit(() => {
        ran = true
      })
    })
    assert.equal(ran, true)
    await s.write(() => add(s, 2))
    assert.equal((await names(s)).length, 2)
  })

  check('units: nested ones side by side are savepoints of their own', async s => {
    await items(s)
    const results = await s.write(
      async () =>
        await Promise.allSettled(
          [1, 2, 3, 4].map(n =>
            s.write(async () => {
              await add(s, n)
              await Promise.resolve()
              if (n % 2 === 0) throw new Error(`no ${n}`)
              await s.write(() => add(s, n * 10))
            }),
          ),
        ),
    )
    assert.deepEqual(
      results.map(r => r.status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
    )
    assert.deepEqual((await names(s)).sort(), ['n1', 'n10', 'n3', 'n30'])
  })

  check('units: a nested one that nobody awaits still ends inside', async s => {
    await items(s)
    await s.write(async () => {
      void s.write(() => add(s, 1))
    })
    assert.deepEqual(await names(s), ['n1'])
  })

  check('units: nothing runs beside a nested one, with which it would be undone', async s => {
    await items(s)
    await s.write(async () => {
      const nested = s.write(async () => {
        await new Promise(resolve => setImmediate(resolve))
      })
      await Promise.resolve()
      await assert.rejects(async () => await add(s, 1), /nested/)
      await nested
      await add(s, 2)
    })
    assert.deepEqual(await names(s), ['n2'])
  })

  check('units: callbacks of an undone nested one are dropped', async s => {
    const seen: string[] = []
    await s.write(async () => {
      await s.write(async () => s.afterCommit(() => void seen.push('kept')))
      const undone = s.write(async () => {
        s.afterCommit(() => void seen.push('dropped'))
        throw new Error('undo')
      })
      await assert.rejects(undone, /undo/)
      assert.deepEqual(seen, [])
    })
    assert.deepEqual(seen, ['kept'])
  })

  check('units: a handle that is kept cannot write after its unit, nor a unit begin late', async s => {
    await items(s)
    let kept: Storage['db'] | undefined
    let late: Promise<unknown> | undefined
    const gate = Promise.withResolvers<void>()
    await s.write(async db => {
      kept = db
      late = gate.promise.then(() => s.write(() => add(s, 1)))
      late.catch(() => undefined)
    })
    gate.resolve()
    await assert.rejects(late as Promise<unknown>, /unit of work has ended/)
    await assert.rejects(async () => await kept?.('conformance_item').insert({ id: 1, name: 'late' }))
    assert.deepEqual(await names(s), [])
  })

  check('units: no mix of handles, nested units and statements waits for itself', async s => {
    await items(s)
    const find = s.statement<{ id: number }, { name: string }>((db, p) =>
      db('conformance_item').where('id', p('id')).select('name'),
    )
    await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        s.write(async db => {
          await db('conformance_item').insert({ id: n, name: `n${n}` })
          assert.equal((await s.db('conformance_item').where({ id: n })).length, 1)
          await s.write(async inner => {
            assert.equal((await find.get({ id: n }))?.name, `n${n}`)
            await inner.transaction(
              async trx => void (await trx('conformance_item').where({ id: n }).update({ name: 'x' })),
            )
          })
          await keep(s, Buffer.from(`content ${n}`))
          assert.equal(typeof (await s.queue.nextDue()), 'undefined')
        }),
      ),
    )
    assert.equal((await names(s)).filter(name => name === 'x').length, 50)
  })

  check('units: nobody outside sees what is not committed', async s => {
    await items(s)
    const inside = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const unit = s.write(async () => {
      await add(s, 1)
      inside.resolve()
      await go.promise
    })
    await inside.promise
    assert.deepEqual(await names(s), [])
    go.resolve()
    await unit
    assert.deepEqual(await names(s), ['n1'])
  })

  check('statements: a missing value is an error, and no error tells values', async s => {
    await items(s)
    const insert = s.statement<{ id: number; name?: string }>((db, p) =>
      db('conformance_item').insert({ id: p('id'), name: p('name') }),
    )
    await assert.rejects(
      s.write(async () => await insert.run({ id: 1 })),
      /no value for "name"/,
    )
    await assert.rejects(insert.run({ id: 1, name: 'outside' }))
    await s.write(async () => await insert.run({ id: 1, name: 'first' }))
    const twice = s.write(async db => void (await db('conformance_item').insert({ id: 1, name: 'hunter2' })))
    await assert.rejects(twice, error => error instanceof Error && !error.message.includes('hunter2'))
  })

  check('content: collected and kept again at the same time, and read while it goes', async s => {
    for (const size of [500, 300_000]) {
      const bytes = Buffer.alloc(size, 'race')
      let id = await keep(s, bytes)
      for (let round = 0; round < 5; round++) {
        await s.write(() => s.content.release(id))
        const writer = s.content.writer()
        await writer.write(bytes)
        const staged = await writer.finish(hashOf(bytes))
        const [kept] = await Promise.all([s.write(() => s.content.keep(staged)), s.write(() => s.content.collect())])
        id = kept
        await writer.abort()
        assert.deepEqual(await s.content.read(id), bytes)
      }
      const reading = s.content.open(id)[Symbol.asyncIterator]()
      const parts = [(await reading.next()).value as Buffer]
      await s.write(() => s.content.release(id))
      assert.equal(await s.content.collect(), 1)
      for (let next = await reading.next(); next.done !== true; next = await reading.next()) parts.push(next.value)
      assert.deepEqual(Buffer.concat(parts), bytes)
      await assert.rejects(s.write(() => s.content.release(id)))
      assert.deepEqual(await s.verify(), [])
    }
  })
}

async function add(s: Storage, n: number): Promise<void> {
  await s.db('conformance_item').insert({ id: n, name: `n${n}` })
}
