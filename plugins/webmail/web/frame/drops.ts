// Files that are dropped beside what takes them: the browser would open them in the place of the page.

export function startDrops(): void {
  const refuse = (event: DragEvent): void => {
    const { dataTransfer } = event
    if (event.defaultPrevented || dataTransfer === null || !dataTransfer.types.includes('Files')) return
    event.preventDefault()
    dataTransfer.dropEffect = 'none'
  }
  addEventListener('dragover', refuse)
  addEventListener('drop', refuse)
}
