/** `other`: an attachment that is none of the kinds that people search for. */
export type AttachmentKind =
  | 'image'
  | 'pdf'
  | 'archive'
  | 'spreadsheet'
  | 'document'
  | 'presentation'
  | 'calendar'
  | 'other'
