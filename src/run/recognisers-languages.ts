import { local, type Recogniser, refused } from './recogniser.ts';

/** Scripts of Python and Node.js; go, maven, gradle. */
export const languageRecognisers: readonly Recogniser[] = [
  {
    id: 'python-own-error',
    tool: 'python',
    says: {
      kind: 'text',
      texts: [
        '^ArithmeticError',
        '^AssertionError',
        '^AttributeError: ',
        '^ImportError: ',
        '^IndentationError: ',
        '^IndexError: ',
        '^KeyError: ',
        '^MemoryError',
        '^ModuleNotFoundError: ',
        '^NameError: ',
        '^RecursionError: ',
        '^SyntaxError: ',
        '^TypeError: ',
        '^UnboundLocalError: ',
        '^UnicodeDecodeError: ',
        '^ValueError: ',
        '^ZeroDivisionError: ',
        '^json.decoder.JSONDecodeError: ',
        '^zipfile.BadZipFile: ',
        '^FileNotFoundError: ',
        '^FileExistsError: ',
        '^IsADirectoryError: ',
        ": can't open file '",
      ],
    },
    ...local('an error of the script itself'),
    means: 'The last exception is about the script or its data, whatever the network did before.',
    sample: {
      exitCode: 1,
      output:
        'Traceback (most recent call last):\n  File "s.py", line 4, in <module>\n    urlopen(url)\nConnectionResetError: [Errno 104] Connection reset by peer\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "s.py", line 6, in <module>\n    print(d[\'x\'])\nKeyError: \'x\'',
    },
  },
  {
    id: 'python-interrupted',
    tool: 'python',
    says: { kind: 'text', texts: ['^KeyboardInterrupt'] },
    ...local('interrupted'),
    means: 'Somebody stopped it.',
    sample: {
      exitCode: 1,
      output: 'Traceback (most recent call last):\n  File "s.py", line 1, in <module>\nKeyboardInterrupt',
    },
  },
  {
    id: 'node-own-error',
    tool: 'node',
    says: {
      kind: 'text',
      texts: [
        '^ReferenceError: ',
        '^SyntaxError: ',
        '^RangeError: ',
        '^TypeError: Cannot ',
        '^AssertionError',
        'is not a function',
        'is not defined',
        "code: 'MODULE_NOT_FOUND'",
        "code: 'ERR_MODULE_NOT_FOUND'",
        '^Error: Cannot find module',
        "code: 'ENOENT'",
      ],
    },
    ...local('an error of the script itself'),
    means: 'The error that ended it is about the script or its files, whatever the network did before.',
    sample: {
      exitCode: 1,
      output:
        "fetch failed: read ECONNRESET, going on without\n/app/a.js:3\n    data.items.map(String);\n               ^\n\nTypeError: Cannot read properties of undefined (reading 'items')\n    at Object.<anonymous> (/app/a.js:3:6)\n\nNode.js v20.20.2",
    },
  },
  {
    id: 'go-nothing-fits',
    tool: 'go',
    says: {
      kind: 'text',
      texts: [
        'unknown revision',
        'no matching versions for query',
        'terminal prompts disabled',
        'verifying module: checksum mismatch',
      ],
    },
    ...refused('no such module or version'),
    phase: 'wait',
    means: 'The proxy or the repository answered, and has nothing that fits.',
    sample: {
      exitCode: 1,
      output: 'go: example.com/nope@v1.2.3: invalid version: unknown revision v1.2.3',
    },
  },
  {
    id: 'go-build',
    tool: 'go',
    says: {
      kind: 'text',
      texts: [
        '^FAIL',
        'no required module provides package',
        'go.mod file not found',
        'undefined: ',
        'updates to go.mod needed',
      ],
    },
    ...local('the program does not compile, or a test failed'),
    means: 'Everything was there; building or testing failed.',
    sample: { exitCode: 1, output: './main.go:5:2: undefined: nope' },
  },
  {
    id: 'maven-build',
    tool: 'maven',
    says: {
      kind: 'text',
      texts: [
        'COMPILATION ERROR',
        'There are test failures',
        'No plugin found for prefix',
        'Non-parseable POM',
        'there is no POM in this directory',
      ],
    },
    ...local('the build itself failed'),
    means: 'The sources, the tests or the POM.',
    sample: {
      exitCode: 1,
      output: '[ERROR] COMPILATION ERROR :\n[ERROR] /a/A.java:[1,8] class, interface, or enum expected',
    },
  },
  {
    id: 'maven-nothing-fits',
    tool: 'maven',
    says: { kind: 'summary', texts: ['Could not find artifact', 'was not found in http'] },
    ...refused('no such artifact'),
    phase: 'wait',
    means: 'The repository answered, and has no such artifact.',
    sample: {
      exitCode: 1,
      output:
        '[ERROR] Failed to execute goal on project a: Could not resolve dependencies: Could not find artifact com.x:y:jar:1 in central (https://repo.maven.apache.org/maven2)',
    },
  },
  {
    id: 'gradle-build',
    tool: 'gradle',
    says: {
      kind: 'text',
      texts: [
        'Compilation failed; see the compiler',
        'There were failing tests',
        'Could not compile ',
        'not found in root project',
      ],
    },
    ...local('the build itself failed'),
    means: 'The sources, the tests or the build file.',
    sample: {
      exitCode: 1,
      output:
        "* What went wrong:\nExecution failed for task ':compileJava'.\n> Compilation failed; see the compiler output below.",
    },
  },
  {
    id: 'gradle-nothing-fits',
    tool: 'gradle',
    says: { kind: 'summary', texts: ['> Could not find ', 'Searched in the following locations'] },
    ...refused('no such artifact'),
    phase: 'wait',
    means: 'The repositories answered, and none has such an artifact.',
    sample: {
      exitCode: 1,
      output:
        '> Could not find com.x:y:1.\n  Searched in the following locations:\n    - https://repo.maven.apache.org/maven2/com/x/y/1/y-1.pom',
    },
  },
];
