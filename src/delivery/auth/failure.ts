/** No request could be authorized. The gateway has not been asked, so another provider may be. */
export class AuthorizationFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AuthorizationFailed';
  }
}
