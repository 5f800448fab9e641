// All rows, by what goes wrong.
import { content } from './content.ts'
import { extensions } from './extensions.ts'
import { login } from './login.ts'
import { recipients } from './recipients.ts'
import type { Row } from './row.ts'
import { session } from './session.ts'
import { tls } from './tls.ts'
import { transaction } from './transaction.ts'

export const ROWS: Readonly<Record<string, readonly Row[]>> = {
  session,
  tls,
  login,
  transaction,
  recipients,
  content,
  extensions,
}
