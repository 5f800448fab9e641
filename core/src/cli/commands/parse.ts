// mox message parse FILE: the MIME structure as this server sees it. Needs no config and no server.
import { createReadStream } from 'node:fs'
import { UsageError } from '@mox/plugin-sdk'
import { decodeBody, decodeWords, type Part, parseStructure, safeFilename } from '@mox/plugin-sdk/mail'
import type { LocalCommand } from '../types.ts'

/** Bytes of a message that is read. */
export const FILE_LIMIT: number = 256 * 1024 * 1024

/** Fields whose values are shown beside the count. */
const SHOWN = ['from', 'to', 'cc', 'date', 'subject', 'message-id']

export const parseMessage: LocalCommand['run'] = async ({ arguments: [file = '-'], flags }) => {
  const bytes = await read(file)
  const root = describe(bytes, parseStructure(bytes))
  return flags.get('json') === true ? { kind: 'value', value: root } : { kind: 'text', text: formatTree(root) }
}

export interface PartDescription {
  readonly path: string
  readonly contentType: string
  readonly charset: string
  readonly encoding: string
  readonly disposition: string
  readonly filename?: string
  /** Octets as transferred, and with the encoding undone where the part has no parts of its own. */
  readonly size: number
  readonly decodedSize?: number
  readonly lines: number
  readonly fields: readonly { readonly name: string; readonly value: string }[]
  readonly problems: readonly string[]
  readonly parts: readonly PartDescription[]
}

export function describe(bytes: Buffer, part: Part): PartDescription {
  const inner = [...part.children, ...(part.message === undefined ? [] : [part.message])]
  return {
    path: part.path,
    contentType: part.contentType,
    charset: part.charset,
    encoding: part.encoding,
    disposition: part.disposition,
    ...(part.filename === undefined ? {} : { filename: safeFilename(part.filename) }),
    size: part.size,
    ...(inner.length > 0 ? {} : { decodedSize: decodeBody(bytes, part).length }),
    lines: part.lines,
    fields: part.head.fields.map(f => ({ name: f.name, value: f.value })),
    problems: [...part.problems, ...part.head.problems.map(p => `${p.kind} at octet ${part.start + p.offset}`)],
    parts: inner.map(child => describe(bytes, child)),
  }
}

function formatTree(root: PartDescription): string {
  const lines = root.fields
    .filter(f => SHOWN.includes(f.name.toLowerCase()))
    .map(f => `${f.name}: ${decodeWords(f.value)}`)
  lines.push(`${root.fields.length} header fields`, '')
  const add = (part: PartDescription, indent: string): void => {
    const size =
      part.decodedSize === undefined ? `${part.size} octets` : `${part.decodedSize} octets, ${part.lines} lines`
    const name = part.filename === undefined ? '' : `  "${part.filename}"`
    const about = [part.charset, part.encoding, part.disposition].filter(text => text !== '').join(', ')
    lines.push(`${indent}${part.path === '' ? '' : `${part.path} `}${part.contentType} (${about}) ${size}${name}`)
    for (const problem of part.problems) lines.push(`${indent}  problem: ${problem}`)
    for (const child of part.parts) add(child, `${indent}  `)
  }
  add(root, '')
  return `${lines.join('\n')}\n`
}

async function read(file: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      size += (chunk as Buffer).length
      if (size > FILE_LIMIT) throw new UsageError(`${file} has more than ${FILE_LIMIT} bytes`)
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(`cannot read ${file} (${code})`)
  }
  return Buffer.concat(chunks)
}
