import { labCases } from './lab-cases.ts';
import { peerCases } from './peer-cases.ts';
import type { Case } from './scenario.ts';
import { wayCases } from './way-cases.ts';

export const cases: readonly Case[] = [...labCases, ...wayCases, ...peerCases];
