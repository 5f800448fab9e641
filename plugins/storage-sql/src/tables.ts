// The names of core's own tables.

export const MIGRATION = 'mox_migration'
export const COUNTER = 'mox_counter'
export const LOCK = 'mox_lock'
export const CONTENT = 'mox_content'
export const CONTENT_DATA = 'mox_content_data'
export const MESSAGE = 'mox_message'
export const QUEUE = 'mox_queue'
export const HISTORY = 'mox_history'
export const OUTBOX = 'mox_outbox'
export const SENT = 'mox_sent'
export const MET = 'mox_met'
