import { failureRow, local, type Recogniser, refused } from './recogniser.ts';

/** pip, uv, npm, pnpm, yarn, cargo, apt, docker, helm, terraform. */
export const packageRecognisers: readonly Recogniser[] = [
  {
    id: 'pip-nothing-fits',
    tool: 'pip',
    says: {
      kind: 'summary',
      texts: ['No matching distribution found for', 'Could not find a version that satisfies the requirement'],
    },
    ...refused('no such package or version'),
    phase: 'wait',
    means: 'The index answered, and has no version that fits.',
    sample: {
      exitCode: 1,
      output:
        'ERROR: Could not find a version that satisfies the requirement nopkg (from versions: none)\nERROR: No matching distribution found for nopkg',
    },
  },
  {
    id: 'pip-conflict',
    tool: 'pip',
    says: {
      kind: 'text',
      texts: ['ResolutionImpossible', 'requires a different Python', 'have conflicting dependencies'],
    },
    ...local('the requirements contradict each other'),
    means: 'No set of versions fulfils all requirements.',
    sample: {
      exitCode: 1,
      output:
        'ERROR: Cannot install a and b because these package versions have conflicting dependencies.\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io/',
    },
  },
  {
    id: 'pip-build',
    tool: 'pip',
    says: {
      kind: 'text',
      texts: [
        'Failed building wheel for',
        'Could not build wheels for',
        'Failed to build installable wheels',
        'metadata-generation-failed',
        '^error: externally-managed-environment',
      ],
    },
    ...local('the package could not be built or installed here'),
    means: 'The download was whole; building or installing it failed on this machine.',
    sample: {
      exitCode: 1,
      output:
        '  ERROR: Failed building wheel for thing\nERROR: Could not build wheels for thing, which is required to install pyproject.toml-based projects',
    },
  },
  {
    id: 'pip-usage',
    tool: 'pip',
    says: { kind: 'text', texts: ['Could not open requirements file', 'Invalid requirement:', 'no such option:'] },
    ...local('the arguments are wrong'),
    means: 'pip cannot read what it was asked for.',
    sample: {
      exitCode: 1,
      output: "ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'nope.txt'",
    },
  },
  {
    id: 'uv-nothing-fits',
    tool: 'uv',
    says: { kind: 'text', texts: ['No solution found when resolving', 'was not found in the package registry'] },
    ...refused('no version fits'),
    phase: 'wait',
    means: 'The index answered, and has no set of versions that fits.',
    sample: {
      exitCode: 1,
      output:
        '  × No solution found when resolving dependencies:\n  ╰─▶ Because nopkg was not found in the package registry and you require nopkg, we can conclude that your requirements are unsatisfiable.',
    },
  },
  {
    id: 'uv-build',
    tool: 'uv',
    says: {
      kind: 'text',
      texts: ['Failed to build `', 'The build backend returned an error', 'error: unexpected argument'],
    },
    ...local('the package could not be built here'),
    means: 'The download was whole; building it failed on this machine.',
    sample: { exitCode: 1, output: '  × Failed to build `thing==1.0`\n  ╰─▶ The build backend returned an error' },
  },
  {
    id: 'npm-request',
    tool: 'npm',
    says: {
      kind: 'text',
      texts: ['npm error code ETARGET', 'npm ERR! code ETARGET', 'npm error code ENEEDAUTH', 'npm ERR! code ENEEDAUTH'],
    },
    ...refused('no such version, or no login'),
    phase: 'wait',
    means: 'The registry answered, and has no such version, or wants a login.',
    sample: {
      exitCode: 1,
      output: 'npm error code ETARGET\nnpm error notarget No matching version found for left-pad@99.0.0.',
    },
  },
  {
    id: 'npm-local',
    tool: 'npm',
    says: {
      kind: 'text',
      texts: [
        'npm error code ERESOLVE',
        'npm ERR! code ERESOLVE',
        'npm error code EUSAGE',
        'npm ERR! code EUSAGE',
        'npm error code EBADENGINE',
        'npm ERR! code EBADENGINE',
        'npm error code EBADPLATFORM',
        'npm ERR! code EBADPLATFORM',
        'npm error code ENOENT',
        'npm ERR! code ENOENT',
        'npm error code EJSONPARSE',
        'npm ERR! code EJSONPARSE',
        'npm error code ENOLOCK',
        'npm ERR! code ENOLOCK',
        'npm error Missing script:',
        'npm ERR! Missing script:',
      ],
    },
    ...local('the project or this machine does not fit'),
    means: 'npm says with its code that the trouble is in package.json, the lock file or this machine.',
    sample: {
      exitCode: 1,
      output:
        'npm warn registry retrying fetch: read ECONNRESET\nnpm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree',
    },
  },
  {
    id: 'pnpm-local',
    tool: 'pnpm',
    says: {
      kind: 'text',
      texts: [
        'ERR_PNPM_OUTDATED_LOCKFILE',
        'ERR_PNPM_NO_PKG_MANIFEST',
        'ERR_PNPM_PEER_DEP_ISSUES',
        'ERR_PNPM_UNSUPPORTED_ENGINE',
      ],
    },
    ...local('the project or this machine does not fit'),
    means: 'pnpm says with its code that the trouble is in package.json, the lock file or this machine.',
    sample: {
      exitCode: 1,
      output:
        ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json',
    },
  },
  {
    id: 'pnpm-nothing-fits',
    tool: 'pnpm',
    says: { kind: 'text', texts: ['ERR_PNPM_NO_MATCHING_VERSION', 'ERR_PNPM_PACKAGE_NOT_FOUND'] },
    ...refused('no such package or version'),
    phase: 'wait',
    means: 'The registry answered, and has no version that fits.',
    sample: { exitCode: 1, output: ' ERR_PNPM_NO_MATCHING_VERSION  No matching version found for left-pad@99.0.0' },
  },
  {
    id: 'yarn-nothing-fits',
    tool: 'yarn',
    says: {
      kind: 'text',
      texts: ["error Couldn't find package", "error Couldn't find any versions for", 'YN0082', 'YN0035'],
    },
    ...refused('no such package or version'),
    phase: 'wait',
    means: 'The registry answered, and has no version that fits.',
    sample: { exitCode: 1, output: 'error Couldn\'t find any versions for "left-pad" that matches "99.0.0"' },
  },
  {
    id: 'yarn-local',
    tool: 'yarn',
    says: {
      kind: 'text',
      texts: [
        'Your lockfile needs to be updated',
        'YN0028',
        "Couldn't find a package.json",
        'is incompatible with this module',
      ],
    },
    ...local('the project or this machine does not fit'),
    means: 'The trouble is in package.json, the lock file or this machine.',
    sample: {
      exitCode: 1,
      output: 'error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.',
    },
  },
  {
    id: 'yarn-offline',
    tool: 'yarn',
    says: { kind: 'summary', texts: ['There appears to be trouble with your network connection'] },
    ...failureRow('hung-up', 'connection to the registry failed'),
    means: 'yarn says that it was the network, and not how.',
    sample: {
      exitCode: 1,
      output:
        'info There appears to be trouble with your network connection. Retrying...\ninfo Visit https://yarnpkg.com/en/docs/cli/install for documentation about this command.',
    },
  },
  {
    id: 'cargo-nothing-fits',
    tool: 'cargo',
    says: {
      kind: 'text',
      texts: [
        'no matching package named',
        'failed to select a version for',
        'could not find `',
        'config.json not found in registry',
        'require a credential-provider to be configured',
      ],
    },
    ...refused('no such crate or version'),
    phase: 'wait',
    means: 'The registry answered, and has no version that fits.',
    sample: {
      exitCode: 101,
      output:
        'error: no matching package named `nopkg` found\nlocation searched: crates.io index\nrequired by package `a v0.1.0 (/a)`',
    },
  },
  {
    id: 'cargo-build',
    tool: 'cargo',
    says: {
      kind: 'text',
      texts: [
        'could not compile `',
        'error: could not find `Cargo.toml`',
        'error: test failed',
        'failed to parse manifest',
      ],
    },
    ...local('the program does not compile'),
    means: 'Everything was there; building or testing failed.',
    sample: { exitCode: 101, output: 'error: could not compile `a` (bin "a") due to 1 previous error' },
  },
  {
    id: 'apt-nothing-fits',
    tool: 'apt',
    says: { kind: 'text', texts: ['E: Unable to locate package', 'has no installation candidate', 'E: Version '] },
    ...refused('no such package'),
    phase: 'wait',
    means: 'The indexes that are here know no such package; `apt-get update` may bring newer ones.',
    sample: { exitCode: 100, output: 'Reading package lists...\nE: Unable to locate package nopkg' },
  },
  {
    id: 'apt-not-signed',
    tool: 'apt',
    says: { kind: 'text', texts: ['NO_PUBKEY', 'is not signed', 'EXPKEYSIG', 'does not have a Release file'] },
    ...refused('the repository is not trusted'),
    phase: 'wait',
    means: 'The repository’s signature is missing, expired or of an unknown key.',
    sample: {
      exitCode: 100,
      output: "E: The repository 'https://repo.example.com stable InRelease' is not signed.",
    },
  },
  {
    id: 'apt-lock',
    tool: 'apt',
    says: { kind: 'text', texts: ['Could not get lock', 'Unable to acquire the dpkg', 'Unable to lock'] },
    ...local('another apt is running'),
    means: 'Another package manager holds the lock; `-o DPkg::Lock::Timeout=60` waits for it.',
    sample: {
      exitCode: 100,
      output: 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4242 (apt-get)',
    },
  },
  {
    id: 'apt-local',
    tool: 'apt',
    says: {
      kind: 'text',
      texts: ['returned an error code (', 'unmet dependencies', 'you have held broken packages', 'Are you root?'],
    },
    ...local('the packages could not be installed here'),
    means: 'The downloads were whole; installing them failed on this machine.',
    sample: { exitCode: 100, output: 'E: Sub-process /usr/bin/dpkg returned an error code (1)' },
  },
  {
    id: 'docker-no-image',
    tool: 'docker',
    says: {
      kind: 'text',
      texts: [
        'manifest unknown',
        'not found: manifest unknown',
        'pull access denied',
        'repository does not exist',
        'unauthorized: ',
        'no basic auth credentials',
        'no matching manifest for',
      ],
    },
    ...refused('no such image, or no access to it'),
    phase: 'wait',
    means: 'The registry answered, and has no such image for this login and platform.',
    sample: {
      exitCode: 1,
      output:
        "Error response from daemon: pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    },
  },
  {
    id: 'docker-local',
    tool: 'docker',
    says: {
      kind: 'text',
      texts: [
        'Cannot connect to the Docker daemon',
        'permission denied while trying to connect to the Docker daemon',
        'failed to read dockerfile',
        'dockerfile parse error',
        'is already in use by container',
      ],
    },
    ...local('docker itself is the trouble'),
    means: 'The daemon, a file or a container of this machine.',
    sample: {
      exitCode: 1,
      output: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    },
  },
  {
    id: 'helm-refused',
    tool: 'helm',
    says: {
      kind: 'text',
      texts: ['not found in … repository', 'no chart name found', 'is not a valid chart repository'],
    },
    ...refused('no such chart'),
    phase: 'wait',
    means: 'The repository answered, and has no such chart.',
    sample: {
      exitCode: 1,
      output:
        'Error: chart "nope" matching  not found in bitnami index. (try \'helm repo update\'): no chart name found',
    },
  },
  {
    id: 'helm-local',
    tool: 'helm',
    says: {
      kind: 'text',
      texts: [
        'cannot re-use a name that is still in use',
        'another operation (install/upgrade/rollback) is in progress',
        'YAML parse error',
        'Kubernetes cluster unreachable',
      ],
    },
    ...local('the chart or the cluster’s state'),
    means: 'The chart, its values, or what is in the cluster already.',
    sample: { exitCode: 1, output: 'Error: INSTALLATION FAILED: cannot re-use a name that is still in use' },
  },
  {
    id: 'terraform-refused',
    tool: 'terraform',
    says: {
      kind: 'text',
      texts: ['does not have a provider named', 'no available releases match', 'No valid credential sources found'],
    },
    ...refused('no such provider or version, or no login'),
    phase: 'wait',
    means: 'The registry answered, and has nothing that fits; or the login is missing.',
    sample: {
      exitCode: 1,
      output:
        '│ Error: Failed to query available provider packages\n│\n│ Could not retrieve the list of available versions for provider a/nope: provider registry\n│ registry.terraform.io does not have a provider named registry.terraform.io/a/nope',
    },
  },
  {
    id: 'terraform-local',
    tool: 'terraform',
    says: {
      kind: 'text',
      texts: [
        'Error: Unsupported argument',
        'Error: Missing required argument',
        'Error: Invalid ',
        'Error: Reference to undeclared',
        'Error acquiring the state lock',
        'Error: Inconsistent dependency lock file',
      ],
    },
    ...local('the configuration or the state'),
    means: 'The configuration is wrong, or somebody else holds the state.',
    sample: { exitCode: 1, output: '│ Error: Unsupported argument\n│\n│   on main.tf line 3, in resource "a" "b":' },
  },
];
