// Imported before all schemas: zod would compile them with `new Function`, which the page's content security policy forbids.
import { z } from 'zod'

z.config({ jitless: true })
