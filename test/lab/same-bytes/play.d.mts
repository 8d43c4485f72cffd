export function digestAll(labModule: object): Promise<Readonly<Record<string, readonly string[]>>>;
