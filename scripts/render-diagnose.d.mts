export function replaceBetween(page: string, name: string, text: string): string;
export function renderExperiments(experiments: readonly object[]): string;
export function renderCauses(causes: readonly object[], likelihoods: readonly object[]): string;
export function renderMatrix(run: object, where: { readonly machine: string; readonly date: string }): string;
