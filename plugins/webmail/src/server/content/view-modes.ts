// How an account wants to see the mail of an address: text, HTML, or HTML with images from elsewhere.
import type { Clock, Migration, Storage } from '@mox/plugin-sdk'
import type { ViewMode } from '../../api/model.ts'
import { VIEW_MODES } from './limits.ts'

export const VIEW_MODE = 'webmail_view_mode'

interface Row {
  account: string
  /** In lower case. */
  address: string
  mode: ViewMode
  changed_at: number
}

export const viewModeTable: Migration['up'] = async db => {
  await db.schema.createTable(VIEW_MODE, table => {
    table.string('account', 200).notNullable()
    table.string('address', 400).notNullable()
    table.string('mode', 20).notNullable()
    table.bigInteger('changed_at').notNullable()
    table.primary(['account', 'address'])
  })
}

export interface ViewModesDeps {
  readonly storage: Storage
  readonly clock: Clock
}

export class ViewModes {
  readonly #storage: Storage
  readonly #clock: Clock

  constructor({ storage, clock }: ViewModesDeps) {
    this.#storage = storage
    this.#clock = clock
  }

  async get(account: string, address: string): Promise<ViewMode | null> {
    const row: Row | undefined = await this.#storage
      .db<Row>(VIEW_MODE)
      .where({ account, address: key(address) })
      .first()
    return row?.mode ?? null
  }

  /** Of too many, those set longest ago are forgotten. */
  async set(account: string, address: string, mode: ViewMode): Promise<void> {
    await this.#storage.write(async db => {
      const row: Row = { account, address: key(address), mode, changed_at: this.#clock.now() }
      await db<Row>(VIEW_MODE).insert(row).onConflict(['account', 'address']).merge(['mode', 'changed_at'])
      const oldest: { address: string }[] = await db<Row>(VIEW_MODE)
        .select('address')
        .where({ account })
        .orderBy([{ column: 'changed_at', order: 'desc' }, 'address'])
        .offset(VIEW_MODES)
        .limit(100)
      if (oldest.length === 0) return
      await db<Row>(VIEW_MODE)
        .where({ account })
        .whereIn(
          'address',
          oldest.map(({ address }) => address),
        )
        .delete()
    })
  }
}

function key(address: string): string {
  return address.toLowerCase()
}
