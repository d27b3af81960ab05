import type { Catalogue } from '../../lib/texts.ts';
import { changeTexts } from '../factors/change.ts';
import type { AccountDeps, Area } from '../types.ts';
import { activityArea, activityTexts } from './activity.ts';
import { authenticatorArea, authenticatorTexts } from './authenticator.ts';
import { backupCodesArea, backupCodeTexts } from './backup-codes.ts';
import { codeSwitchArea, codeSwitchTexts } from './code-switch.ts';
import { dataArea, dataTexts } from './data.ts';
import { devicesArea, deviceTexts } from './devices.ts';
import { passwordArea, passwordTexts } from './password.ts';
import { phoneArea, phoneTexts } from './phone.ts';
import { profileArea, profileTexts } from './profile.ts';
import { sessionsArea, sessionTexts } from './sessions.ts';

/** In the order in which their cards stand. A new area is one file, one line here, and its texts below. */
const makers = [
  profileArea,
  passwordArea,
  phoneArea,
  codeSwitchArea,
  authenticatorArea,
  backupCodesArea,
  devicesArea,
  sessionsArea,
  activityArea,
  dataArea,
];

export const createAreas = (deps: AccountDeps): Area[] => makers.map((make) => make(deps));

export const areaTexts: Catalogue = {
  ...profileTexts,
  ...passwordTexts,
  ...changeTexts,
  ...phoneTexts,
  ...codeSwitchTexts,
  ...authenticatorTexts,
  ...backupCodeTexts,
  ...deviceTexts,
  ...sessionTexts,
  ...activityTexts,
  ...dataTexts,
};
