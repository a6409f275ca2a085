// Recorded from the engine by `cargo xtask fixtures`, not written by hand: what waits and what was decided, and the open card with its facts.
import type { ApprovalsPage } from "../../engine/bindings/ApprovalsPage";
import type { ApprovalDto } from "../../engine/bindings/ApprovalDto";

export const approvals: ApprovalsPage = {
  "open": [
    {
      "id": "ask_01recorded0000000000000006",
      "operation": "op_01recorded0000000000000005",
      "agent": "claude-code",
      "agentName": "Claude Code",
      "session": "ses_01recorded0000000000000003",
      "user": "dana",
      "cwd": "/home/dana/src/api",
      "kind": "http",
      "summary": "DELETE staging.acme.example/v1/databases/reports",
      "fingerprint": "0000000000000000000000000000000000000000000000000000000000000011",
      "outputLimit": null,
      "reasons": [
        {
          "rule": "ask-destructive",
          "text": "a request that deletes something",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 151,
          "liftable": true
        }
      ],
      "risk": "high",
      "riskReasons": [
        "DELETE deletes something"
      ],
      "view": {
        "kind": "http.request",
        "method": "DELETE",
        "scheme": "https",
        "host": "staging.acme.example",
        "port": 443,
        "path": "/v1/databases/reports",
        "query": null,
        "body": {
          "bytes": 0,
          "text": ""
        }
      },
      "estimate": null,
      "unaffordable": null,
      "askedAt": "2026-11-18T10:01:00Z",
      "expiresAt": "2026-11-18T10:11:00Z",
      "joined": 1,
      "resolved": null,
      "usedAt": null,
      "shape": "64a680f5a1146eea",
      "left": null,
      "arming": null,
      "facts": null
    }
  ],
  "resolved": [
    {
      "id": "ask_01recorded0000000000000009",
      "operation": "op_01recorded0000000000000008",
      "agent": "codex",
      "agentName": "Codex CLI",
      "session": "ses_01recorded0000000000000002",
      "user": "dana",
      "cwd": "/home/dana/src/api",
      "kind": "http",
      "summary": "DELETE staging.acme.example/v1/databases/reports",
      "fingerprint": "0000000000000000000000000000000000000000000000000000000000000011",
      "outputLimit": null,
      "reasons": [
        {
          "rule": "ask-destructive",
          "text": "a request that deletes something",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 151,
          "liftable": true
        }
      ],
      "risk": "high",
      "riskReasons": [
        "DELETE deletes something",
        "first time this agent sends something here"
      ],
      "view": {
        "kind": "http.request",
        "method": "DELETE",
        "scheme": "https",
        "host": "staging.acme.example",
        "port": 443,
        "path": "/v1/databases/reports",
        "query": null,
        "body": {
          "bytes": 0,
          "text": ""
        }
      },
      "estimate": null,
      "unaffordable": null,
      "askedAt": "2026-11-18T10:00:44Z",
      "expiresAt": "2026-11-18T10:10:44Z",
      "joined": 1,
      "resolved": {
        "resolution": {
          "kind": "refused",
          "reason": "restore it from the backup instead"
        },
        "by": "dana",
        "surface": "demo",
        "at": "2026-11-18T10:00:53Z",
        "readingMs": 9000
      },
      "usedAt": null,
      "shape": "52fc142662622b72",
      "left": null,
      "arming": null,
      "facts": null
    },
    {
      "id": "ask_01recorded0000000000000011",
      "operation": "op_01recorded0000000000000010",
      "agent": "claude-code",
      "agentName": "Claude Code",
      "session": "ses_01recorded0000000000000003",
      "user": "dana",
      "cwd": "/home/dana/src/api",
      "kind": "http",
      "summary": "DELETE staging.acme.example/v1/databases/reports",
      "fingerprint": "0000000000000000000000000000000000000000000000000000000000000011",
      "outputLimit": null,
      "reasons": [
        {
          "rule": "ask-destructive",
          "text": "a request that deletes something",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 151,
          "liftable": true
        }
      ],
      "risk": "high",
      "riskReasons": [
        "DELETE deletes something",
        "first time this agent sends something here"
      ],
      "view": {
        "kind": "http.request",
        "method": "DELETE",
        "scheme": "https",
        "host": "staging.acme.example",
        "port": 443,
        "path": "/v1/databases/reports",
        "query": null,
        "body": {
          "bytes": 0,
          "text": ""
        }
      },
      "estimate": null,
      "unaffordable": null,
      "askedAt": "2026-11-18T10:00:28Z",
      "expiresAt": "2026-11-18T10:10:28Z",
      "joined": 1,
      "resolved": {
        "resolution": {
          "kind": "approved",
          "scope": {
            "kind": "once"
          }
        },
        "by": "dana",
        "surface": "demo",
        "at": "2026-11-18T10:00:37Z",
        "readingMs": 9000
      },
      "usedAt": "2026-11-18T10:00:37Z",
      "shape": "64a680f5a1146eea",
      "left": null,
      "arming": null,
      "facts": null
    }
  ]
};

export const card: ApprovalDto = {
  "id": "ask_01recorded0000000000000006",
  "operation": "op_01recorded0000000000000005",
  "agent": "claude-code",
  "agentName": "Claude Code",
  "session": "ses_01recorded0000000000000003",
  "user": "dana",
  "cwd": "/home/dana/src/api",
  "kind": "http",
  "summary": "DELETE staging.acme.example/v1/databases/reports",
  "fingerprint": "0000000000000000000000000000000000000000000000000000000000000011",
  "outputLimit": null,
  "reasons": [
    {
      "rule": "ask-destructive",
      "text": "a request that deletes something",
      "layer": "preset",
      "file": "presets/balanced.cedar",
      "line": 151,
      "liftable": true
    }
  ],
  "risk": "high",
  "riskReasons": [
    "DELETE deletes something"
  ],
  "view": {
    "kind": "http.request",
    "method": "DELETE",
    "scheme": "https",
    "host": "staging.acme.example",
    "port": 443,
    "path": "/v1/databases/reports",
    "query": null,
    "body": {
      "bytes": 0,
      "text": ""
    }
  },
  "estimate": null,
  "unaffordable": null,
  "askedAt": "2026-11-18T10:01:00Z",
  "expiresAt": "2026-11-18T10:11:00Z",
  "joined": 1,
  "resolved": null,
  "usedAt": null,
  "shape": "64a680f5a1146eea",
  "left": null,
  "arming": {
    "nonce": "nonce-of-this-showing",
    "armsAfterMs": 700,
    "sessionText": "@id(\"grt_01recorded0000000000000041\")\n@reason(\"approved by hand for DELETE staging.acme.example/v1/databases/reports\")\n@lifts(\"ask-destructive\")\npermit (\n  principal == Agent::\"claude-code\",\n  action == Action::\"http.request\",\n  resource == Host::\"staging.acme.example\"\n)\nwhen {\n  context.scheme == \"https\" &&\n  context.port == 443 &&\n  context.method == \"DELETE\" &&\n  context.path == \"/v1/databases/reports\" &&\n  !context.uses_credential &&\n  !(context has upgrade) &&\n  context.session == Session::\"ses_01recorded0000000000000003\"\n};\n",
    "alwaysText": "@id(\"grt_01recorded0000000000000041\")\n@reason(\"approved by hand for DELETE staging.acme.example/v1/databases/reports\")\n@lifts(\"ask-destructive\")\n@expires(\"2026-12-18T10:01:00Z\")\npermit (\n  principal == Agent::\"claude-code\",\n  action == Action::\"http.request\",\n  resource == Host::\"staging.acme.example\"\n)\nwhen {\n  context.scheme == \"https\" &&\n  context.port == 443 &&\n  context.method == \"DELETE\" &&\n  context.path == \"/v1/databases/reports\" &&\n  !context.uses_credential &&\n  !(context has upgrade)\n};\n",
    "alwaysFile": "/home/dana/.reeve/config/policies/standing.cedar",
    "widths": [
      "useful"
    ],
    "notLiftable": null
  },
  "facts": {
    "before": {
      "asked": 1,
      "approved": 1,
      "refused": 0,
      "days": 30
    },
    "command": [],
    "sessionCost": 358000,
    "credential": null,
    "accounts": [],
    "priceDate": null,
    "estimateIn": null,
    "inputTokens": null,
    "needsProof": false,
    "proofSet": false,
    "allowedLately": 1
  }
};
