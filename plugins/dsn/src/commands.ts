// `mox dsn parse FILE`: what this server understands of a report.
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, UsageError } from '@mox/plugin-sdk'
import { parseReport, REPORT_BYTES } from './parse/report.ts'
import type { ParsedReport } from './parse/types.ts'

export const dsnCommands: readonly Command[] = [
  {
    path: ['dsn', 'parse'],
    summary: 'what is understood of a bounce, a complaint or another report in a file',
    arguments: [{ name: 'FILE', help: 'a message (.eml); a running server reads it, so give the whole path' }],
    offline: true,
    run: async ({ arguments: [file = ''] }) => {
      return { kind: 'value', value: shown(parseReport(await firstBytes(resolve(file)))) }
    },
  },
]

function shown({ kind, messageId, envelopeId, reportingMta, arrivalDate, recipients }: ParsedReport): object {
  return {
    ...{ kind, messageId, envelopeId, reportingMta },
    arrivalDate: arrivalDate === null ? null : new Date(arrivalDate).toISOString(),
    recipients: recipients.map(({ remoteMta, ...said }) => ({
      // Whom the sender wrote to; on the way the message may have been forwarded.
      address: said.originalRecipient || said.finalRecipient,
      ...said,
      host: remoteMta,
    })),
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  try {
    await using file = await open(path)
    if (!(await file.stat()).isFile()) throw new UsageError(`${path} is no file`)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(REPORT_BYTES), position: 0 })
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); give the whole path of a file`,
    )
  }
}
