/** An error response of the tus protocol, in the form that @tus/server looks for. */
export class TusError extends Error {
  override readonly name = "TusError";
  readonly status_code: number;
  readonly body: string;

  constructor(status: number, message: string) {
    super(message);
    this.status_code = status;
    this.body = `${message}\n`;
  }
}
