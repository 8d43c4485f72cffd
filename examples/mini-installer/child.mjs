// One installer as a process of its own: its task is its argument, its tally what it prints.
import { install } from './install.mjs';

console.log(JSON.stringify(await install(JSON.parse(process.argv[2]))));
