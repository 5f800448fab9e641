// Options of the fromid plugin.
import { type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { z } from 'zod'

/** Login addresses of one account. */
export const ADDRESSES = 100

const address = z
  .string()
  .refine(text => parseAddress(text).ok, 'must be an address, such as "alice+fromid@example.org"')
  .transform((text): Path => {
    const parsed = parseAddress(text)
    return parsed.ok ? parsed.path : { localpart: '', domain: '' }
  })

export const options = z.strictObject({
  loginAddresses: z
    .record(z.string().min(1), z.array(address).min(1).max(ADDRESSES))
    .describe('By account: whoever logs in with one of these addresses sends with unique sender addresses'),
})

export type Options = z.output<typeof options>
