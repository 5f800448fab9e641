// The nearest spelling of a mistyped word: the contract has it, because plugins need it for their options too.
export { didYouMean, nearest } from '@mox/plugin-sdk'
