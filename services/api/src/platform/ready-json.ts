/** JSON that was made before, to be sent as it is: the same bytes to every reader. */
export class ReadyJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}
