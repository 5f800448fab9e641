// Options of the webmail.
import { z } from 'zod'

export const options = z.strictObject({})
