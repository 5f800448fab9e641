// Compressing answers as the browser accepts it.
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Context } from 'koa'
import { COMPRESS_BYTES } from './limits.ts'

const brotliAsync = promisify(brotliCompress)
const gzipAsync = promisify(gzip)

/** Fast: made for each answer. */
const BROTLI_QUICK = 4
const GZIP_QUICK = 5

export type Encoding = 'br' | 'gzip' | 'identity'

/** The best one that the browser accepts, whatever its order. */
export function encodingOf(ctx: Context): Encoding {
  return (['br', 'gzip'] as const).find(encoding => ctx.acceptsEncodings(encoding) === encoding) ?? 'identity'
}

/** Once for an answer that is given often. */
export async function compressBest(bytes: Buffer): Promise<Readonly<Record<Encoding, Buffer>>> {
  const [br, gz] = await Promise.all([brotliAsync(bytes), gzipAsync(bytes, { level: 9 })])
  return { identity: bytes, br, gzip: gz }
}

/** Answers with JSON that nobody may keep. */
export async function sendJson(ctx: Context, value: unknown): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(value))
  ctx.set('Cache-Control', 'no-store')
  ctx.type = 'application/json; charset=utf-8'
  ctx.vary('Accept-Encoding')
  const encoding = bytes.length < COMPRESS_BYTES ? 'identity' : encodingOf(ctx)
  if (encoding !== 'identity') ctx.set('Content-Encoding', encoding)
  ctx.body =
    encoding === 'br'
      ? await brotliAsync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUICK } })
      : encoding === 'gzip'
        ? await gzipAsync(bytes, { level: GZIP_QUICK })
        : bytes
}
