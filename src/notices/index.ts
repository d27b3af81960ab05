/**
 * Notices: messages that tell people what has happened to their account, by another channel than the one that changed.
 *
 * Owns what they say. It has no table and no setting: whether there is a way is delivery's to say, whether a message may
 * go is the guard's, and what is worth a notice whoever does it decides.
 * Routes: none.
 */
export { createNotices, type NoticesDeps } from './service.ts';
export { texts } from './texts.ts';
