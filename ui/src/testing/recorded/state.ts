// Recorded from the engine by `cargo xtask fixtures`, not written by hand: the state of protection and what is registered.
import type { StatusDto } from "../../engine/bindings/StatusDto";
import type { AgentDto } from "../../engine/bindings/AgentDto";
import type { SessionDto } from "../../engine/bindings/SessionDto";
import type { BudgetLineDto } from "../../engine/bindings/BudgetLineDto";
import type { CredentialDto } from "../../engine/bindings/CredentialDto";
import type { RuleDto } from "../../engine/bindings/RuleDto";

export const status: StatusDto = {
  "protection": {
    "state": "protected"
  },
  "mode": "enforce",
  "preset": "balanced",
  "engineVersion": "0.1.0",
  "proxyAddress": "127.0.0.1:7117",
  "agentsRunning": 2,
  "sessionsRunning": 2,
  "held": 1,
  "costToday": 358000,
  "limitToday": null,
  "chain": {
    "head": 22,
    "ok": true,
    "brokenAt": null,
    "problem": null
  },
  "mark": "brisk magpie",
  "markStripe": 1,
  "demo": true
};

export const agents: AgentDto[] = [
  {
    "id": "claude-code",
    "name": "Claude Code",
    "tool": "claude-code",
    "team": null,
    "registeredAt": "2026-11-18T10:00:00Z",
    "pausedAt": null,
    "removedAt": null,
    "running": 1,
    "costToday": 358000,
    "sessionsToday": 1,
    "actionsToday": 5,
    "heldToday": 2,
    "deniedToday": 1,
    "lastSeen": "2026-11-18T10:01:00Z",
    "coverage": [
      {
        "kind": "llm",
        "sight": "full",
        "note": null
      },
      {
        "kind": "http",
        "sight": "full",
        "note": null
      },
      {
        "kind": "mcp",
        "sight": "partial",
        "note": "servers reached over the network are seen as http; local ones are not seen"
      },
      {
        "kind": "shell",
        "sight": "none",
        "note": "commands are not judged; what they do on the network is"
      }
    ]
  },
  {
    "id": "codex",
    "name": "Codex CLI",
    "tool": "codex",
    "team": null,
    "registeredAt": "2026-11-18T10:00:37Z",
    "pausedAt": null,
    "removedAt": null,
    "running": 1,
    "costToday": 0,
    "sessionsToday": 1,
    "actionsToday": 2,
    "heldToday": 1,
    "deniedToday": 1,
    "lastSeen": "2026-11-18T10:01:00Z",
    "coverage": [
      {
        "kind": "llm",
        "sight": "full",
        "note": null
      },
      {
        "kind": "http",
        "sight": "partial",
        "note": "its own sandbox gives shell commands no network at all unless told otherwise"
      },
      {
        "kind": "mcp",
        "sight": "partial",
        "note": "local servers get no proxy variables from Codex, so their traffic is not seen either"
      },
      {
        "kind": "shell",
        "sight": "none",
        "note": "commands are not judged; what they do on the network is"
      }
    ]
  }
];

export const sessions: SessionDto[] = [
  {
    "id": "ses_01recorded0000000000000002",
    "agent": "codex",
    "agentName": "Codex CLI",
    "user": "dana",
    "cwd": "/home/dana/src/api",
    "command": [],
    "mode": null,
    "openedAt": "2026-11-18T10:00:37Z",
    "expiresAt": "2026-11-18T11:00:37Z",
    "endedAt": null,
    "endedBecause": null
  },
  {
    "id": "ses_01recorded0000000000000003",
    "agent": "claude-code",
    "agentName": "Claude Code",
    "user": "dana",
    "cwd": "/home/dana/src/api",
    "command": [],
    "mode": null,
    "openedAt": "2026-11-18T10:00:00Z",
    "expiresAt": "2026-11-18T11:00:00Z",
    "endedAt": null,
    "endedBecause": null
  }
];

export const budgets: BudgetLineDto[] = [
  {
    "id": "demo-session",
    "scope": "session",
    "agentName": null,
    "model": null,
    "window": "total",
    "unit": "money",
    "limit": 100000000,
    "onExhausted": "deny",
    "file": "limits.yaml",
    "line": 2,
    "editable": false,
    "accounts": [
      {
        "account": "session:ses_01recorded0000000000000003",
        "agent": "claude-code",
        "agentName": "Claude Code",
        "session": "ses_01recorded0000000000000003",
        "windowStart": "2026-11-18T00:00:00Z",
        "windowEnd": null,
        "settled": 358000,
        "reserved": 0,
        "free": 99642000,
        "forecast": null
      },
      {
        "account": "session:ses_01recorded0000000000000002",
        "agent": "codex",
        "agentName": "Codex CLI",
        "session": "ses_01recorded0000000000000002",
        "windowStart": "2026-11-18T00:00:00Z",
        "windowEnd": null,
        "settled": 0,
        "reserved": 0,
        "free": 100000000,
        "forecast": null
      }
    ]
  }
];

export const credentials: CredentialDto[] = [
  {
    "id": "acme-demo",
    "name": "Acme token (demo)",
    "placeholder": "reeve-00000000000000000000000000000004",
    "variables": [
      "ACME_TOKEN"
    ],
    "bindings": [
      {
        "agents": [],
        "host": "api.acme.example",
        "port": 443,
        "methods": [],
        "path": null,
        "slot": "Authorization: Bearer ‹secret›"
      }
    ],
    "addedAt": "2026-11-18T10:00:00Z",
    "rotatedAt": null
  }
];

export const rules: RuleDto[] = [
  {
    "id": "no-paste-sites",
    "kind": "forbid",
    "reason": "nothing may be pasted to a public paste site",
    "layer": "mine",
    "file": "demo.cedar",
    "line": 3,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"no-paste-sites\")\n@reason(\"nothing may be pasted to a public paste site\")\nforbid (principal, action == Action::\"http.request\", resource == Host::\"paste.example\");"
  },
  {
    "id": "whoami",
    "kind": "standingApproval",
    "reason": "approved before",
    "layer": "mine",
    "file": "standing.cedar",
    "line": 1,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [
      "ask-first-credential"
    ],
    "project": null,
    "text": "@id(\"whoami\")\n@reason(\"approved before\")\n@lifts(\"ask-first-credential\")\npermit (principal == Agent::\"claude-code\", action == Action::\"http.request\", resource == Host::\"api.acme.example\")\nwhen { context.method == \"GET\" };"
  },
  {
    "id": "allow-known-llm",
    "kind": "permit",
    "reason": "a known language model provider",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 7,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-known-llm\")\n@reason(\"a known language model provider\")\npermit (\n  principal,\n  action == Action::\"llm.call\",\n  resource in HostGroup::\"language-models\"\n)\nwhen { context.scheme == \"https\" && context.standard_port };"
  },
  {
    "id": "allow-declared-llm",
    "kind": "permit",
    "reason": "a language model host that your configuration declares",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 17,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-declared-llm\")\n@reason(\"a language model host that your configuration declares\")\npermit (\n  principal,\n  action == Action::\"llm.call\",\n  resource\n)\nwhen { context.scheme == \"https\" };"
  },
  {
    "id": "allow-local-llm",
    "kind": "permit",
    "reason": "a language model on this machine",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 26,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-local-llm\")\n@reason(\"a language model on this machine\")\n@addresses(\"127.0.0.0/8, ::1/128\")\npermit (\n  principal,\n  action == Action::\"llm.call\",\n  resource in HostGroup::\"this-machine\"\n);"
  },
  {
    "id": "ask-first-llm-host",
    "kind": "ask",
    "reason": "the first call this agent makes to a language model host outside the well-known ones",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 35,
    "liftable": true,
    "mode": "enforce",
    "risk": "medium",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-first-llm-host\")\n@reason(\"the first call this agent makes to a language model host outside the well-known ones\")\n@liftable\n@risk(\"medium\")\nforbid (\n  principal,\n  action == Action::\"llm.call\",\n  resource\n)\nwhen { context.first_seen }\nunless { context.approved || (context.scheme == \"https\" && resource in HostGroup::\"language-models\") };"
  },
  {
    "id": "ask-unmetered-llm",
    "kind": "ask",
    "reason": "a paid service of a language model provider that Reeve cannot meter",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 48,
    "liftable": true,
    "mode": "enforce",
    "risk": "medium",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-unmetered-llm\")\n@reason(\"a paid service of a language model provider that Reeve cannot meter\")\n@liftable\n@risk(\"medium\")\nforbid (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"language-models\"\n)\nwhen {\n  context.method == \"POST\" &&\n  (context.path like \"*/batches\" ||\n   context.path like \"*/completions\" ||\n   context.path like \"*/embeddings\" ||\n   context.path like \"*/images/*\" ||\n   context.path like \"*/audio/*\" ||\n   context.path like \"*:batchGenerateContent\" ||\n   context.path like \"*:predict*\" ||\n   context.path like \"*:embedContent\" ||\n   context.path like \"*:batchEmbedContents\" ||\n   context.path like \"*/interactions\")\n}\nunless { context.approved };"
  },
  {
    "id": "allow-agent-services",
    "kind": "permit",
    "reason": "a service of the agent's own maker",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 76,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-agent-services\")\n@reason(\"a service of the agent's own maker\")\npermit (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"agent-services\"\n)\nwhen { context.scheme == \"https\" && context.standard_port };"
  },
  {
    "id": "allow-agent-telemetry",
    "kind": "permit",
    "reason": "the agent reports to its own maker",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 85,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-agent-telemetry\")\n@reason(\"the agent reports to its own maker\")\npermit (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"agent-telemetry\"\n)\nwhen { context.scheme == \"https\" && context.standard_port };"
  },
  {
    "id": "allow-read",
    "kind": "permit",
    "reason": "reading a public host",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 96,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-read\")\n@reason(\"reading a public host\")\npermit (\n  principal,\n  action in Action::\"read\",\n  resource is Host\n);"
  },
  {
    "id": "allow-write-again",
    "kind": "permit",
    "reason": "this agent has written to this host before",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 104,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-write-again\")\n@reason(\"this agent has written to this host before\")\npermit (\n  principal,\n  action in Action::\"write\",\n  resource is Host\n)\nunless { context.first_write };"
  },
  {
    "id": "allow-git-fetch",
    "kind": "permit",
    "reason": "fetching from a public git host",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 113,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-git-fetch\")\n@reason(\"fetching from a public git host\")\npermit (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"git-hosts\"\n)\nwhen { context.scheme == \"https\" && context.path like \"*/git-upload-pack\" };"
  },
  {
    "id": "ask-first-write",
    "kind": "ask",
    "reason": "the first time this agent sends something to this host",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 122,
    "liftable": true,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-first-write\")\n@reason(\"the first time this agent sends something to this host\")\n@liftable\nforbid (\n  principal,\n  action in Action::\"write\",\n  resource is Host\n)\nwhen { context.first_write }\nunless {\n  context.approved ||\n  (context.scheme == \"https\" && context.standard_port &&\n    (resource in HostGroup::\"agent-services\" || resource in HostGroup::\"agent-telemetry\" ||\n      (resource in HostGroup::\"git-hosts\" && context.path like \"*/git-upload-pack\")))\n};"
  },
  {
    "id": "ask-first-long-query",
    "kind": "ask",
    "reason": "a read that carries more than 1,000 bytes in its query to a host this agent has not talked to before",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 139,
    "liftable": true,
    "mode": "enforce",
    "risk": "medium",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-first-long-query\")\n@reason(\"a read that carries more than 1,000 bytes in its query to a host this agent has not talked to before\")\n@liftable\n@risk(\"medium\")\nforbid (\n  principal,\n  action in Action::\"read\",\n  resource is Host\n)\nwhen { context.first_seen && context.query_bytes > 1000 }\nunless { context.approved || resource in HostGroup::\"agent-services\" };"
  },
  {
    "id": "ask-destructive",
    "kind": "ask",
    "reason": "a request that deletes something",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 151,
    "liftable": true,
    "mode": "enforce",
    "risk": "high",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-destructive\")\n@reason(\"a request that deletes something\")\n@liftable\n@risk(\"high\")\nforbid (\n  principal,\n  action in Action::\"destructive\",\n  resource is Host\n)\nunless { context.approved };"
  },
  {
    "id": "ask-git-push",
    "kind": "ask",
    "reason": "a push to a git remote",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 162,
    "liftable": true,
    "mode": "enforce",
    "risk": "high",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-git-push\")\n@reason(\"a push to a git remote\")\n@liftable\n@risk(\"high\")\nforbid (\n  principal,\n  action in Action::\"write\",\n  resource is Host\n)\nwhen { context.path like \"*/git-receive-pack\" }\nunless { context.approved };"
  },
  {
    "id": "ask-first-unusual-place",
    "kind": "ask",
    "reason": "the first time this agent talks to an address without a name or to an unusual port",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 174,
    "liftable": true,
    "mode": "enforce",
    "risk": "medium",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-first-unusual-place\")\n@reason(\"the first time this agent talks to an address without a name or to an unusual port\")\n@liftable\n@risk(\"medium\")\nforbid (\n  principal,\n  action == Action::\"http.request\",\n  resource\n)\nwhen { context.first_seen && (context.is_ip || !context.standard_port) }\nunless { context.approved || resource in HostGroup::\"this-machine\" };"
  },
  {
    "id": "ask-first-upgrade",
    "kind": "ask",
    "reason": "a two-way channel to a host this agent has not written to before; what passes through it is not read",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 186,
    "liftable": true,
    "mode": "enforce",
    "risk": "medium",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-first-upgrade\")\n@reason(\"a two-way channel to a host this agent has not written to before; what passes through it is not read\")\n@liftable\n@risk(\"medium\")\nforbid (\n  principal,\n  action == Action::\"http.request\",\n  resource\n)\nwhen { context has upgrade && context.first_write }\nunless { context.approved || resource in HostGroup::\"language-models\" };"
  },
  {
    "id": "ask-plain-http-write",
    "kind": "ask",
    "reason": "sends something without encryption",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 198,
    "liftable": true,
    "mode": "enforce",
    "risk": "medium",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-plain-http-write\")\n@reason(\"sends something without encryption\")\n@liftable\n@risk(\"medium\")\nforbid (\n  principal,\n  action in Action::\"write\",\n  resource is Host\n)\nwhen { context.scheme == \"http\" }\nunless { context.approved || resource in HostGroup::\"this-machine\" };"
  },
  {
    "id": "allow-local",
    "kind": "permit",
    "reason": "a development server on this machine",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 212,
    "liftable": false,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"allow-local\")\n@reason(\"a development server on this machine\")\n@addresses(\"127.0.0.0/8, ::1/128\")\npermit (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"this-machine\"\n)\nwhen { context.port >= 1024 };"
  },
  {
    "id": "ask-first-local",
    "kind": "ask",
    "reason": "the first time this agent talks to a server on this machine",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 222,
    "liftable": true,
    "mode": "enforce",
    "risk": null,
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-first-local\")\n@reason(\"the first time this agent talks to a server on this machine\")\n@liftable\nforbid (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"this-machine\"\n)\nwhen { context.first_seen && context.port >= 1024 }\nunless { context.approved };"
  },
  {
    "id": "deny-local-control-ports",
    "kind": "forbid",
    "reason": "a port through which a container engine or a cluster on this machine is controlled",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 233,
    "liftable": false,
    "mode": "enforce",
    "risk": "critical",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"deny-local-control-ports\")\n@reason(\"a port through which a container engine or a cluster on this machine is controlled\")\n@risk(\"critical\")\nforbid (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"this-machine\"\n)\nwhen { [2375, 2376, 2379, 2380, 6443, 10250].contains(context.port) };"
  },
  {
    "id": "ask-first-credential",
    "kind": "ask",
    "reason": "the first time this agent uses a credential at this host",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 247,
    "liftable": true,
    "mode": "enforce",
    "risk": "medium",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"ask-first-credential\")\n@reason(\"the first time this agent uses a credential at this host\")\n@liftable\n@risk(\"medium\")\nforbid (\n  principal,\n  action == Action::\"http.request\",\n  resource\n)\nwhen { context.uses_credential && context.first_seen }\nunless {\n  context.approved ||\n  (context.scheme == \"https\" && context.standard_port && resource in HostGroup::\"agent-services\")\n};"
  },
  {
    "id": "deny-credential-in-the-open",
    "kind": "forbid",
    "reason": "a credential never travels without encryption",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 262,
    "liftable": false,
    "mode": "enforce",
    "risk": "critical",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"deny-credential-in-the-open\")\n@reason(\"a credential never travels without encryption\")\n@risk(\"critical\")\nforbid (\n  principal,\n  action in [Action::\"http.request\", Action::\"llm.call\"],\n  resource\n)\nwhen { context.uses_credential && context.scheme == \"http\" };"
  },
  {
    "id": "deny-drop-sites",
    "kind": "forbid",
    "reason": "anonymous drop boxes and request catchers are where stolen data is sent",
    "layer": "preset",
    "file": "presets/balanced.cedar",
    "line": 274,
    "liftable": false,
    "mode": "enforce",
    "risk": "high",
    "expires": null,
    "lifts": [],
    "project": null,
    "text": "@id(\"deny-drop-sites\")\n@reason(\"anonymous drop boxes and request catchers are where stolen data is sent\")\n@risk(\"high\")\nforbid (\n  principal,\n  action == Action::\"http.request\",\n  resource in HostGroup::\"drop-sites\"\n);"
  }
];
