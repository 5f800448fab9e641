// The config that docs/reference is made from (`npm run docs`): the example, and every plugin that it does not use. It is for
// that only; a plugin that is missing here is missing in the reference, and test/docs says so.
import { lmtp } from '@mox/plugin-lmtp'
import { localserve } from '@mox/plugin-localserve'
import { defineConfig } from '@mox/plugin-sdk'
import example from '../config.example.ts'

export default defineConfig({
  ...example,
  plugins: [...example.plugins, lmtp({ socket: '/run/dovecot/lmtp' }), localserve()],
})
