// Recorded from the engine by `cargo xtask fixtures`, not written by hand: what happened, newest first, and everything known of each.
import type { OperationRowDto } from "../../engine/bindings/OperationRowDto";
import type { OperationDetailDto } from "../../engine/bindings/OperationDetailDto";
import type { FacetsDto } from "../../engine/bindings/FacetsDto";

export const rows: OperationRowDto[] = [
  {
    "id": "op_01recorded0000000000000005",
    "record": 22,
    "cursor": "7",
    "at": "2026-11-18T10:01:00Z",
    "agent": "claude-code",
    "agentName": "Claude Code",
    "session": "ses_01recorded0000000000000003",
    "kind": "http",
    "summary": "DELETE staging.acme.example/v1/databases/reports",
    "state": "held",
    "settled": false,
    "host": "staging.acme.example",
    "model": null,
    "rule": "ask-destructive",
    "risk": "high",
    "cost": null,
    "worth": null,
    "reserved": null,
    "estimated": false,
    "tokensIn": null,
    "tokensOut": null,
    "tokensCached": null,
    "status": null,
    "exit": null,
    "error": null,
    "tookMs": null,
    "credential": null,
    "approval": "ask_01recorded0000000000000006"
  },
  {
    "id": "op_01recorded0000000000000007",
    "record": 21,
    "cursor": "6",
    "at": "2026-11-18T10:01:00Z",
    "agent": "codex",
    "agentName": "Codex CLI",
    "session": "ses_01recorded0000000000000002",
    "kind": "llm",
    "summary": "claude-sonnet-5 at api.anthropic.com, 1 message, 0 tools",
    "state": "denied",
    "settled": true,
    "host": "api.anthropic.com",
    "model": "claude-sonnet-5",
    "rule": "demo-session",
    "risk": "low",
    "cost": null,
    "worth": null,
    "reserved": null,
    "estimated": false,
    "tokensIn": null,
    "tokensOut": null,
    "tokensCached": null,
    "status": null,
    "exit": null,
    "error": null,
    "tookMs": null,
    "credential": null,
    "approval": null
  },
  {
    "id": "op_01recorded0000000000000008",
    "record": 18,
    "cursor": "5",
    "at": "2026-11-18T10:00:44Z",
    "agent": "codex",
    "agentName": "Codex CLI",
    "session": "ses_01recorded0000000000000002",
    "kind": "http",
    "summary": "DELETE staging.acme.example/v1/databases/reports",
    "state": "refused",
    "settled": true,
    "host": "staging.acme.example",
    "model": null,
    "rule": "ask-destructive",
    "risk": "high",
    "cost": null,
    "worth": null,
    "reserved": null,
    "estimated": false,
    "tokensIn": null,
    "tokensOut": null,
    "tokensCached": null,
    "status": null,
    "exit": null,
    "error": null,
    "tookMs": null,
    "credential": null,
    "approval": "ask_01recorded0000000000000009"
  },
  {
    "id": "op_01recorded0000000000000010",
    "record": 12,
    "cursor": "4",
    "at": "2026-11-18T10:00:28Z",
    "agent": "claude-code",
    "agentName": "Claude Code",
    "session": "ses_01recorded0000000000000003",
    "kind": "http",
    "summary": "DELETE staging.acme.example/v1/databases/reports",
    "state": "approved",
    "settled": true,
    "host": "staging.acme.example",
    "model": null,
    "rule": "ask-destructive",
    "risk": "high",
    "cost": null,
    "worth": null,
    "reserved": null,
    "estimated": false,
    "tokensIn": null,
    "tokensOut": null,
    "tokensCached": null,
    "status": 200,
    "exit": null,
    "error": null,
    "tookMs": 240,
    "credential": null,
    "approval": "ask_01recorded0000000000000011"
  },
  {
    "id": "op_01recorded0000000000000012",
    "record": 11,
    "cursor": "3",
    "at": "2026-11-18T10:00:21Z",
    "agent": "claude-code",
    "agentName": "Claude Code",
    "session": "ses_01recorded0000000000000003",
    "kind": "http",
    "summary": "POST paste.example/new",
    "state": "denied",
    "settled": true,
    "host": "paste.example",
    "model": null,
    "rule": "no-paste-sites",
    "risk": "medium",
    "cost": null,
    "worth": null,
    "reserved": null,
    "estimated": false,
    "tokensIn": null,
    "tokensOut": null,
    "tokensCached": null,
    "status": null,
    "exit": null,
    "error": null,
    "tookMs": null,
    "credential": null,
    "approval": null
  },
  {
    "id": "op_01recorded0000000000000013",
    "record": 7,
    "cursor": "2",
    "at": "2026-11-18T10:00:14Z",
    "agent": "claude-code",
    "agentName": "Claude Code",
    "session": "ses_01recorded0000000000000003",
    "kind": "http",
    "summary": "GET api.acme.example/v1/whoami",
    "state": "allowed",
    "settled": true,
    "host": "api.acme.example",
    "model": null,
    "rule": "ask-first-credential",
    "risk": "medium",
    "cost": null,
    "worth": null,
    "reserved": null,
    "estimated": false,
    "tokensIn": null,
    "tokensOut": null,
    "tokensCached": null,
    "status": 200,
    "exit": null,
    "error": null,
    "tookMs": 240,
    "credential": "acme-demo",
    "approval": null
  },
  {
    "id": "op_01recorded0000000000000014",
    "record": 5,
    "cursor": "1",
    "at": "2026-11-18T10:00:07Z",
    "agent": "claude-code",
    "agentName": "Claude Code",
    "session": "ses_01recorded0000000000000003",
    "kind": "llm",
    "summary": "claude-sonnet-5 at api.anthropic.com, 1 message, 0 tools",
    "state": "allowed",
    "settled": true,
    "host": "api.anthropic.com",
    "model": "claude-sonnet-5",
    "rule": "allow-known-llm",
    "risk": "low",
    "cost": 358000,
    "worth": 358000,
    "reserved": null,
    "estimated": false,
    "tokensIn": 24,
    "tokensOut": 31,
    "tokensCached": 0,
    "status": 200,
    "exit": null,
    "error": null,
    "tookMs": 240,
    "credential": null,
    "approval": null
  }
];

export const details: OperationDetailDto[] = [
  {
    "row": {
      "id": "op_01recorded0000000000000005",
      "record": 22,
      "cursor": "7",
      "at": "2026-11-18T10:01:00Z",
      "agent": "claude-code",
      "agentName": "Claude Code",
      "session": "ses_01recorded0000000000000003",
      "kind": "http",
      "summary": "DELETE staging.acme.example/v1/databases/reports",
      "state": "held",
      "settled": false,
      "host": "staging.acme.example",
      "model": null,
      "rule": "ask-destructive",
      "risk": "high",
      "cost": null,
      "worth": null,
      "reserved": null,
      "estimated": false,
      "tokensIn": null,
      "tokensOut": null,
      "tokensCached": null,
      "status": null,
      "exit": null,
      "error": null,
      "tookMs": null,
      "credential": null,
      "approval": "ask_01recorded0000000000000006"
    },
    "events": [
      {
        "seq": 22,
        "at": "2026-11-18T10:01:00Z",
        "name": "approval.requested",
        "prev": "000000000000000000000000000000000000000000000000000000000000000f",
        "hash": "0000000000000000000000000000000000000000000000000000000000000010",
        "body": {
          "event": "approval.requested",
          "approval": {
            "id": "ask_01recorded0000000000000006",
            "operation": "op_01recorded0000000000000005",
            "agent": "claude-code",
            "session": "ses_01recorded0000000000000003",
            "user": "dana",
            "cwd": "/home/dana/src/api",
            "action": "http.request",
            "summary": "DELETE staging.acme.example/v1/databases/reports",
            "question": "0000000000000000000000000000000000000000000000000000000000000011",
            "fingerprint": "0000000000000000000000000000000000000000000000000000000000000011",
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
            "risk_reasons": [
              "DELETE deletes something"
            ],
            "view": {
              "body": {
                "bytes": 0,
                "text": ""
              },
              "host": "staging.acme.example",
              "kind": "http.request",
              "method": "DELETE",
              "path": "/v1/databases/reports",
              "port": 443,
              "query": null,
              "scheme": "https"
            },
            "asked_at": "2026-11-18T10:01:00Z",
            "expires_at": "2026-11-18T10:11:00Z",
            "joined": 1
          },
          "operation": {
            "id": "op_01recorded0000000000000005",
            "at": "2026-11-18T10:01:00Z",
            "principal": {
              "agent": "claude-code",
              "session": "ses_01recorded0000000000000003",
              "user": "dana"
            },
            "subject": {
              "subject": "http",
              "endpoint": {
                "scheme": "https",
                "host": "staging.acme.example",
                "port": 443,
                "method": "DELETE",
                "path": "/v1/databases/reports"
              },
              "body_bytes": 0
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000012",
            "summary": "DELETE staging.acme.example/v1/databases/reports"
          },
          "verdict": {
            "decision": "ask",
            "obligations": [],
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
            "risk_reasons": [
              "DELETE deletes something"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          }
        }
      }
    ],
    "seal": null,
    "ip": null,
    "parent": null,
    "verdict": {
      "decision": "ask",
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
      "revision": "c2d8a8f99674",
      "liftedBy": []
    },
    "denial": null,
    "cost": null,
    "view": {
      "body": {
        "bytes": 0,
        "text": ""
      },
      "host": "staging.acme.example",
      "kind": "http.request",
      "method": "DELETE",
      "path": "/v1/databases/reports",
      "port": 443,
      "query": null,
      "scheme": "https"
    },
    "subject": {
      "subject": "http",
      "endpoint": {
        "scheme": "https",
        "host": "staging.acme.example",
        "port": 443,
        "method": "DELETE",
        "path": "/v1/databases/reports"
      },
      "body_bytes": 0
    },
    "outcome": null
  },
  {
    "row": {
      "id": "op_01recorded0000000000000007",
      "record": 21,
      "cursor": "6",
      "at": "2026-11-18T10:01:00Z",
      "agent": "codex",
      "agentName": "Codex CLI",
      "session": "ses_01recorded0000000000000002",
      "kind": "llm",
      "summary": "claude-sonnet-5 at api.anthropic.com, 1 message, 0 tools",
      "state": "denied",
      "settled": true,
      "host": "api.anthropic.com",
      "model": "claude-sonnet-5",
      "rule": "demo-session",
      "risk": "low",
      "cost": null,
      "worth": null,
      "reserved": null,
      "estimated": false,
      "tokensIn": null,
      "tokensOut": null,
      "tokensCached": null,
      "status": null,
      "exit": null,
      "error": null,
      "tookMs": null,
      "credential": null,
      "approval": null
    },
    "events": [
      {
        "seq": 21,
        "at": "2026-11-18T10:01:00Z",
        "name": "operation.denied",
        "prev": "0000000000000000000000000000000000000000000000000000000000000013",
        "hash": "000000000000000000000000000000000000000000000000000000000000000f",
        "body": {
          "event": "operation.denied",
          "operation": {
            "id": "op_01recorded0000000000000007",
            "at": "2026-11-18T10:01:00Z",
            "principal": {
              "agent": "codex",
              "session": "ses_01recorded0000000000000002",
              "user": "dana"
            },
            "subject": {
              "subject": "llm",
              "endpoint": {
                "scheme": "https",
                "host": "api.anthropic.com",
                "port": 443,
                "method": "POST",
                "path": "/v1/messages"
              },
              "dialect": "anthropic_messages",
              "provider": "anthropic",
              "model": "claude-sonnet-5",
              "stream": false,
              "input_bound": 200133,
              "cache_write_bound": 0,
              "cache_one_hour": false,
              "output_limit": 256,
              "candidates": 1,
              "multipliers": [
                "us"
              ],
              "billing": "metered",
              "body_bytes": 400066
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000014",
            "summary": "claude-sonnet-5 at api.anthropic.com, 1 message, 0 tools"
          },
          "verdict": {
            "decision": "allow",
            "obligations": [],
            "reasons": [
              {
                "rule": "allow-known-llm",
                "text": "a known language model provider",
                "layer": "preset",
                "file": "presets/balanced.cedar",
                "line": 7,
                "liftable": false
              },
              {
                "rule": "allow-declared-llm",
                "text": "a language model host that your configuration declares",
                "layer": "preset",
                "file": "presets/balanced.cedar",
                "line": 17,
                "liftable": false
              }
            ],
            "risk": "low",
            "risk_reasons": [
              "first time here",
              "spends money"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          },
          "denial": {
            "kind": "budget",
            "message": "budget `demo-session` (session:ses_01recorded0000000000000002) has $0.100 of $0.100 left, and this call needs up to $0.443",
            "advice": "ask the human to raise it (`reeve budget raise demo-session …`) or wait for the next window",
            "reasons": [
              {
                "rule": "demo-session",
                "text": "",
                "layer": "reeve",
                "file": "",
                "line": 0,
                "liftable": false
              }
            ],
            "record": "op_01recorded0000000000000007"
          }
        }
      }
    ],
    "seal": null,
    "ip": null,
    "parent": null,
    "verdict": {
      "decision": "allow",
      "reasons": [
        {
          "rule": "allow-known-llm",
          "text": "a known language model provider",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 7,
          "liftable": false
        },
        {
          "rule": "allow-declared-llm",
          "text": "a language model host that your configuration declares",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 17,
          "liftable": false
        }
      ],
      "risk": "low",
      "riskReasons": [
        "first time here",
        "spends money"
      ],
      "revision": "c2d8a8f99674",
      "liftedBy": []
    },
    "denial": {
      "kind": "budget",
      "message": "budget `demo-session` (session:ses_01recorded0000000000000002) has $0.100 of $0.100 left, and this call needs up to $0.443",
      "advice": "ask the human to raise it (`reeve budget raise demo-session …`) or wait for the next window",
      "reasons": [
        {
          "rule": "demo-session",
          "text": "",
          "layer": "reeve",
          "file": "",
          "line": 0,
          "liftable": false
        }
      ]
    },
    "cost": null,
    "view": null,
    "subject": {
      "subject": "llm",
      "endpoint": {
        "scheme": "https",
        "host": "api.anthropic.com",
        "port": 443,
        "method": "POST",
        "path": "/v1/messages"
      },
      "dialect": "anthropic_messages",
      "provider": "anthropic",
      "model": "claude-sonnet-5",
      "stream": false,
      "input_bound": 200133,
      "cache_write_bound": 0,
      "cache_one_hour": false,
      "output_limit": 256,
      "candidates": 1,
      "multipliers": [
        "us"
      ],
      "billing": "metered",
      "body_bytes": 400066
    },
    "outcome": null
  },
  {
    "row": {
      "id": "op_01recorded0000000000000008",
      "record": 18,
      "cursor": "5",
      "at": "2026-11-18T10:00:44Z",
      "agent": "codex",
      "agentName": "Codex CLI",
      "session": "ses_01recorded0000000000000002",
      "kind": "http",
      "summary": "DELETE staging.acme.example/v1/databases/reports",
      "state": "refused",
      "settled": true,
      "host": "staging.acme.example",
      "model": null,
      "rule": "ask-destructive",
      "risk": "high",
      "cost": null,
      "worth": null,
      "reserved": null,
      "estimated": false,
      "tokensIn": null,
      "tokensOut": null,
      "tokensCached": null,
      "status": null,
      "exit": null,
      "error": null,
      "tookMs": null,
      "credential": null,
      "approval": "ask_01recorded0000000000000009"
    },
    "events": [
      {
        "seq": 18,
        "at": "2026-11-18T10:00:44Z",
        "name": "approval.requested",
        "prev": "0000000000000000000000000000000000000000000000000000000000000015",
        "hash": "0000000000000000000000000000000000000000000000000000000000000016",
        "body": {
          "event": "approval.requested",
          "approval": {
            "id": "ask_01recorded0000000000000009",
            "operation": "op_01recorded0000000000000008",
            "agent": "codex",
            "session": "ses_01recorded0000000000000002",
            "user": "dana",
            "cwd": "/home/dana/src/api",
            "action": "http.request",
            "summary": "DELETE staging.acme.example/v1/databases/reports",
            "question": "0000000000000000000000000000000000000000000000000000000000000011",
            "fingerprint": "0000000000000000000000000000000000000000000000000000000000000011",
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
            "risk_reasons": [
              "DELETE deletes something",
              "first time this agent sends something here"
            ],
            "view": {
              "body": {
                "bytes": 0,
                "text": ""
              },
              "host": "staging.acme.example",
              "kind": "http.request",
              "method": "DELETE",
              "path": "/v1/databases/reports",
              "port": 443,
              "query": null,
              "scheme": "https"
            },
            "asked_at": "2026-11-18T10:00:44Z",
            "expires_at": "2026-11-18T10:10:44Z",
            "joined": 1
          },
          "operation": {
            "id": "op_01recorded0000000000000008",
            "at": "2026-11-18T10:00:44Z",
            "principal": {
              "agent": "codex",
              "session": "ses_01recorded0000000000000002",
              "user": "dana"
            },
            "subject": {
              "subject": "http",
              "endpoint": {
                "scheme": "https",
                "host": "staging.acme.example",
                "port": 443,
                "method": "DELETE",
                "path": "/v1/databases/reports"
              },
              "body_bytes": 0
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000012",
            "summary": "DELETE staging.acme.example/v1/databases/reports"
          },
          "verdict": {
            "decision": "ask",
            "obligations": [],
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
            "risk_reasons": [
              "DELETE deletes something",
              "first time this agent sends something here"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          }
        }
      },
      {
        "seq": 19,
        "at": "2026-11-18T10:00:53Z",
        "name": "approval.resolved",
        "prev": "0000000000000000000000000000000000000000000000000000000000000016",
        "hash": "0000000000000000000000000000000000000000000000000000000000000017",
        "body": {
          "event": "approval.resolved",
          "approval": "ask_01recorded0000000000000009",
          "resolved": {
            "resolution": "refused",
            "reason": "restore it from the backup instead",
            "by": "dana",
            "surface": "demo",
            "at": "2026-11-18T10:00:53Z",
            "reading_ms": 9000
          }
        }
      },
      {
        "seq": 20,
        "at": "2026-11-18T10:00:53Z",
        "name": "operation.denied",
        "prev": "0000000000000000000000000000000000000000000000000000000000000017",
        "hash": "0000000000000000000000000000000000000000000000000000000000000013",
        "body": {
          "event": "operation.denied",
          "operation": {
            "id": "op_01recorded0000000000000008",
            "at": "2026-11-18T10:00:44Z",
            "principal": {
              "agent": "codex",
              "session": "ses_01recorded0000000000000002",
              "user": "dana"
            },
            "subject": {
              "subject": "http",
              "endpoint": {
                "scheme": "https",
                "host": "staging.acme.example",
                "port": 443,
                "method": "DELETE",
                "path": "/v1/databases/reports"
              },
              "body_bytes": 0
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000012",
            "summary": "DELETE staging.acme.example/v1/databases/reports"
          },
          "verdict": {
            "decision": "ask",
            "obligations": [],
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
            "risk_reasons": [
              "DELETE deletes something",
              "first time this agent sends something here"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          },
          "denial": {
            "kind": "refused",
            "message": "a human refused DELETE staging.acme.example/v1/databases/reports: restore it from the backup instead",
            "advice": "do something else, or ask the human first",
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
            "record": "op_01recorded0000000000000008"
          },
          "approval": "ask_01recorded0000000000000009"
        }
      }
    ],
    "seal": null,
    "ip": null,
    "parent": null,
    "verdict": {
      "decision": "ask",
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
      "revision": "c2d8a8f99674",
      "liftedBy": []
    },
    "denial": {
      "kind": "refused",
      "message": "a human refused DELETE staging.acme.example/v1/databases/reports: restore it from the backup instead",
      "advice": "do something else, or ask the human first",
      "reasons": [
        {
          "rule": "ask-destructive",
          "text": "a request that deletes something",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 151,
          "liftable": true
        }
      ]
    },
    "cost": null,
    "view": {
      "body": {
        "bytes": 0,
        "text": ""
      },
      "host": "staging.acme.example",
      "kind": "http.request",
      "method": "DELETE",
      "path": "/v1/databases/reports",
      "port": 443,
      "query": null,
      "scheme": "https"
    },
    "subject": {
      "subject": "http",
      "endpoint": {
        "scheme": "https",
        "host": "staging.acme.example",
        "port": 443,
        "method": "DELETE",
        "path": "/v1/databases/reports"
      },
      "body_bytes": 0
    },
    "outcome": null
  },
  {
    "row": {
      "id": "op_01recorded0000000000000010",
      "record": 12,
      "cursor": "4",
      "at": "2026-11-18T10:00:28Z",
      "agent": "claude-code",
      "agentName": "Claude Code",
      "session": "ses_01recorded0000000000000003",
      "kind": "http",
      "summary": "DELETE staging.acme.example/v1/databases/reports",
      "state": "approved",
      "settled": true,
      "host": "staging.acme.example",
      "model": null,
      "rule": "ask-destructive",
      "risk": "high",
      "cost": null,
      "worth": null,
      "reserved": null,
      "estimated": false,
      "tokensIn": null,
      "tokensOut": null,
      "tokensCached": null,
      "status": 200,
      "exit": null,
      "error": null,
      "tookMs": 240,
      "credential": null,
      "approval": "ask_01recorded0000000000000011"
    },
    "events": [
      {
        "seq": 12,
        "at": "2026-11-18T10:00:28Z",
        "name": "approval.requested",
        "prev": "0000000000000000000000000000000000000000000000000000000000000018",
        "hash": "0000000000000000000000000000000000000000000000000000000000000019",
        "body": {
          "event": "approval.requested",
          "approval": {
            "id": "ask_01recorded0000000000000011",
            "operation": "op_01recorded0000000000000010",
            "agent": "claude-code",
            "session": "ses_01recorded0000000000000003",
            "user": "dana",
            "cwd": "/home/dana/src/api",
            "action": "http.request",
            "summary": "DELETE staging.acme.example/v1/databases/reports",
            "question": "0000000000000000000000000000000000000000000000000000000000000011",
            "fingerprint": "0000000000000000000000000000000000000000000000000000000000000011",
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
            "risk_reasons": [
              "DELETE deletes something",
              "first time this agent sends something here"
            ],
            "view": {
              "body": {
                "bytes": 0,
                "text": ""
              },
              "host": "staging.acme.example",
              "kind": "http.request",
              "method": "DELETE",
              "path": "/v1/databases/reports",
              "port": 443,
              "query": null,
              "scheme": "https"
            },
            "asked_at": "2026-11-18T10:00:28Z",
            "expires_at": "2026-11-18T10:10:28Z",
            "joined": 1
          },
          "operation": {
            "id": "op_01recorded0000000000000010",
            "at": "2026-11-18T10:00:28Z",
            "principal": {
              "agent": "claude-code",
              "session": "ses_01recorded0000000000000003",
              "user": "dana"
            },
            "subject": {
              "subject": "http",
              "endpoint": {
                "scheme": "https",
                "host": "staging.acme.example",
                "port": 443,
                "method": "DELETE",
                "path": "/v1/databases/reports"
              },
              "body_bytes": 0
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000012",
            "summary": "DELETE staging.acme.example/v1/databases/reports"
          },
          "verdict": {
            "decision": "ask",
            "obligations": [],
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
            "risk_reasons": [
              "DELETE deletes something",
              "first time this agent sends something here"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          }
        }
      },
      {
        "seq": 13,
        "at": "2026-11-18T10:00:37Z",
        "name": "approval.resolved",
        "prev": "0000000000000000000000000000000000000000000000000000000000000019",
        "hash": "000000000000000000000000000000000000000000000000000000000000001a",
        "body": {
          "event": "approval.resolved",
          "approval": "ask_01recorded0000000000000011",
          "resolved": {
            "resolution": "approved",
            "scope": "once",
            "by": "dana",
            "surface": "demo",
            "at": "2026-11-18T10:00:37Z",
            "reading_ms": 9000
          }
        }
      },
      {
        "seq": 14,
        "at": "2026-11-18T10:00:37Z",
        "name": "operation.admitted",
        "prev": "000000000000000000000000000000000000000000000000000000000000001a",
        "hash": "000000000000000000000000000000000000000000000000000000000000001b",
        "body": {
          "event": "operation.admitted",
          "operation": {
            "id": "op_01recorded0000000000000010",
            "at": "2026-11-18T10:00:28Z",
            "principal": {
              "agent": "claude-code",
              "session": "ses_01recorded0000000000000003",
              "user": "dana"
            },
            "subject": {
              "subject": "http",
              "endpoint": {
                "scheme": "https",
                "host": "staging.acme.example",
                "port": 443,
                "method": "DELETE",
                "path": "/v1/databases/reports"
              },
              "body_bytes": 0
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000012",
            "summary": "DELETE staging.acme.example/v1/databases/reports"
          },
          "verdict": {
            "decision": "ask",
            "obligations": [],
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
            "risk_reasons": [
              "DELETE deletes something",
              "first time this agent sends something here"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          },
          "approval": "ask_01recorded0000000000000011",
          "mode": "enforce"
        }
      },
      {
        "seq": 15,
        "at": "2026-11-18T10:00:37Z",
        "name": "operation.settled",
        "prev": "000000000000000000000000000000000000000000000000000000000000001b",
        "hash": "000000000000000000000000000000000000000000000000000000000000001c",
        "body": {
          "event": "operation.settled",
          "outcome": {
            "ending": "complete",
            "status": 200,
            "usage_final": false,
            "counted_output": 0,
            "request_bytes": 0,
            "response_bytes": 21,
            "first_byte_ms": 180,
            "total_ms": 240,
            "masked": 0,
            "peer": "127.0.0.1:7117"
          }
        }
      }
    ],
    "seal": null,
    "ip": "127.0.0.1:7117",
    "parent": null,
    "verdict": {
      "decision": "ask",
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
      "revision": "c2d8a8f99674",
      "liftedBy": []
    },
    "denial": null,
    "cost": null,
    "view": {
      "body": {
        "bytes": 0,
        "text": ""
      },
      "host": "staging.acme.example",
      "kind": "http.request",
      "method": "DELETE",
      "path": "/v1/databases/reports",
      "port": 443,
      "query": null,
      "scheme": "https"
    },
    "subject": {
      "subject": "http",
      "endpoint": {
        "scheme": "https",
        "host": "staging.acme.example",
        "port": 443,
        "method": "DELETE",
        "path": "/v1/databases/reports"
      },
      "body_bytes": 0
    },
    "outcome": {
      "ending": "complete",
      "status": 200,
      "usage_final": false,
      "counted_output": 0,
      "request_bytes": 0,
      "response_bytes": 21,
      "first_byte_ms": 180,
      "total_ms": 240,
      "masked": 0,
      "peer": "127.0.0.1:7117"
    }
  },
  {
    "row": {
      "id": "op_01recorded0000000000000012",
      "record": 11,
      "cursor": "3",
      "at": "2026-11-18T10:00:21Z",
      "agent": "claude-code",
      "agentName": "Claude Code",
      "session": "ses_01recorded0000000000000003",
      "kind": "http",
      "summary": "POST paste.example/new",
      "state": "denied",
      "settled": true,
      "host": "paste.example",
      "model": null,
      "rule": "no-paste-sites",
      "risk": "medium",
      "cost": null,
      "worth": null,
      "reserved": null,
      "estimated": false,
      "tokensIn": null,
      "tokensOut": null,
      "tokensCached": null,
      "status": null,
      "exit": null,
      "error": null,
      "tookMs": null,
      "credential": null,
      "approval": null
    },
    "events": [
      {
        "seq": 11,
        "at": "2026-11-18T10:00:21Z",
        "name": "operation.denied",
        "prev": "000000000000000000000000000000000000000000000000000000000000001e",
        "hash": "0000000000000000000000000000000000000000000000000000000000000018",
        "body": {
          "event": "operation.denied",
          "operation": {
            "id": "op_01recorded0000000000000012",
            "at": "2026-11-18T10:00:21Z",
            "principal": {
              "agent": "claude-code",
              "session": "ses_01recorded0000000000000003",
              "user": "dana"
            },
            "subject": {
              "subject": "http",
              "endpoint": {
                "scheme": "https",
                "host": "paste.example",
                "port": 443,
                "method": "POST",
                "path": "/new"
              },
              "body_bytes": 5
            },
            "content": "000000000000000000000000000000000000000000000000000000000000001f",
            "summary": "POST paste.example/new"
          },
          "verdict": {
            "decision": "deny",
            "obligations": [],
            "reasons": [
              {
                "rule": "no-paste-sites",
                "text": "nothing may be pasted to a public paste site",
                "layer": "mine",
                "file": "demo.cedar",
                "line": 3,
                "liftable": false
              }
            ],
            "risk": "medium",
            "risk_reasons": [
              "first time this agent sends something here"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          },
          "denial": {
            "kind": "policy",
            "message": "POST paste.example/new is denied by `no-paste-sites` (nothing may be pasted to a public paste site)",
            "advice": "do it another way, or ask the human to change the rule",
            "reasons": [
              {
                "rule": "no-paste-sites",
                "text": "nothing may be pasted to a public paste site",
                "layer": "mine",
                "file": "demo.cedar",
                "line": 3,
                "liftable": false
              }
            ],
            "record": "op_01recorded0000000000000012"
          }
        }
      }
    ],
    "seal": null,
    "ip": null,
    "parent": null,
    "verdict": {
      "decision": "deny",
      "reasons": [
        {
          "rule": "no-paste-sites",
          "text": "nothing may be pasted to a public paste site",
          "layer": "mine",
          "file": "demo.cedar",
          "line": 3,
          "liftable": false
        }
      ],
      "risk": "medium",
      "riskReasons": [
        "first time this agent sends something here"
      ],
      "revision": "c2d8a8f99674",
      "liftedBy": []
    },
    "denial": {
      "kind": "policy",
      "message": "POST paste.example/new is denied by `no-paste-sites` (nothing may be pasted to a public paste site)",
      "advice": "do it another way, or ask the human to change the rule",
      "reasons": [
        {
          "rule": "no-paste-sites",
          "text": "nothing may be pasted to a public paste site",
          "layer": "mine",
          "file": "demo.cedar",
          "line": 3,
          "liftable": false
        }
      ]
    },
    "cost": null,
    "view": null,
    "subject": {
      "subject": "http",
      "endpoint": {
        "scheme": "https",
        "host": "paste.example",
        "port": 443,
        "method": "POST",
        "path": "/new"
      },
      "body_bytes": 5
    },
    "outcome": null
  },
  {
    "row": {
      "id": "op_01recorded0000000000000013",
      "record": 7,
      "cursor": "2",
      "at": "2026-11-18T10:00:14Z",
      "agent": "claude-code",
      "agentName": "Claude Code",
      "session": "ses_01recorded0000000000000003",
      "kind": "http",
      "summary": "GET api.acme.example/v1/whoami",
      "state": "allowed",
      "settled": true,
      "host": "api.acme.example",
      "model": null,
      "rule": "ask-first-credential",
      "risk": "medium",
      "cost": null,
      "worth": null,
      "reserved": null,
      "estimated": false,
      "tokensIn": null,
      "tokensOut": null,
      "tokensCached": null,
      "status": 200,
      "exit": null,
      "error": null,
      "tookMs": 240,
      "credential": "acme-demo",
      "approval": null
    },
    "events": [
      {
        "seq": 7,
        "at": "2026-11-18T10:00:14Z",
        "name": "operation.admitted",
        "prev": "0000000000000000000000000000000000000000000000000000000000000020",
        "hash": "0000000000000000000000000000000000000000000000000000000000000021",
        "body": {
          "event": "operation.admitted",
          "operation": {
            "id": "op_01recorded0000000000000013",
            "at": "2026-11-18T10:00:14Z",
            "principal": {
              "agent": "claude-code",
              "session": "ses_01recorded0000000000000003",
              "user": "dana"
            },
            "subject": {
              "subject": "http",
              "endpoint": {
                "scheme": "https",
                "host": "api.acme.example",
                "port": 443,
                "method": "GET",
                "path": "/v1/whoami"
              },
              "body_bytes": 0
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000022",
            "summary": "GET api.acme.example/v1/whoami",
            "credential": "acme-demo"
          },
          "verdict": {
            "decision": "allow",
            "obligations": [],
            "reasons": [
              {
                "rule": "ask-first-credential",
                "text": "the first time this agent uses a credential at this host",
                "layer": "preset",
                "file": "presets/balanced.cedar",
                "line": 247,
                "liftable": true
              }
            ],
            "risk": "medium",
            "risk_reasons": [
              "uses the credential `acme-demo`",
              "first time here"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": [
              "whoami"
            ]
          },
          "mode": "enforce"
        }
      },
      {
        "seq": 8,
        "at": "2026-11-18T10:00:14Z",
        "name": "operation.settled",
        "prev": "0000000000000000000000000000000000000000000000000000000000000021",
        "hash": "0000000000000000000000000000000000000000000000000000000000000023",
        "body": {
          "event": "operation.settled",
          "outcome": {
            "ending": "complete",
            "status": 200,
            "usage_final": false,
            "counted_output": 0,
            "request_bytes": 0,
            "response_bytes": 94,
            "first_byte_ms": 180,
            "total_ms": 240,
            "injected": [
              "acme-demo"
            ],
            "masked": 1,
            "peer": "127.0.0.1:7117"
          }
        }
      },
      {
        "seq": 9,
        "at": "2026-11-18T10:00:14Z",
        "name": "credential.injected",
        "prev": "0000000000000000000000000000000000000000000000000000000000000023",
        "hash": "0000000000000000000000000000000000000000000000000000000000000024",
        "body": {
          "event": "credential.injected",
          "credential": "acme-demo"
        }
      },
      {
        "seq": 10,
        "at": "2026-11-18T10:00:14Z",
        "name": "credential.masked",
        "prev": "0000000000000000000000000000000000000000000000000000000000000024",
        "hash": "000000000000000000000000000000000000000000000000000000000000001e",
        "body": {
          "event": "credential.masked",
          "credential": "acme-demo",
          "times": 1
        }
      }
    ],
    "seal": null,
    "ip": "127.0.0.1:7117",
    "parent": null,
    "verdict": {
      "decision": "allow",
      "reasons": [
        {
          "rule": "ask-first-credential",
          "text": "the first time this agent uses a credential at this host",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 247,
          "liftable": true
        }
      ],
      "risk": "medium",
      "riskReasons": [
        "uses the credential `acme-demo`",
        "first time here"
      ],
      "revision": "c2d8a8f99674",
      "liftedBy": [
        "whoami"
      ]
    },
    "denial": null,
    "cost": null,
    "view": null,
    "subject": {
      "subject": "http",
      "endpoint": {
        "scheme": "https",
        "host": "api.acme.example",
        "port": 443,
        "method": "GET",
        "path": "/v1/whoami"
      },
      "body_bytes": 0
    },
    "outcome": {
      "ending": "complete",
      "status": 200,
      "usage_final": false,
      "counted_output": 0,
      "request_bytes": 0,
      "response_bytes": 94,
      "first_byte_ms": 180,
      "total_ms": 240,
      "injected": [
        "acme-demo"
      ],
      "masked": 1,
      "peer": "127.0.0.1:7117"
    }
  },
  {
    "row": {
      "id": "op_01recorded0000000000000014",
      "record": 5,
      "cursor": "1",
      "at": "2026-11-18T10:00:07Z",
      "agent": "claude-code",
      "agentName": "Claude Code",
      "session": "ses_01recorded0000000000000003",
      "kind": "llm",
      "summary": "claude-sonnet-5 at api.anthropic.com, 1 message, 0 tools",
      "state": "allowed",
      "settled": true,
      "host": "api.anthropic.com",
      "model": "claude-sonnet-5",
      "rule": "allow-known-llm",
      "risk": "low",
      "cost": 358000,
      "worth": 358000,
      "reserved": null,
      "estimated": false,
      "tokensIn": 24,
      "tokensOut": 31,
      "tokensCached": 0,
      "status": 200,
      "exit": null,
      "error": null,
      "tookMs": 240,
      "credential": null,
      "approval": null
    },
    "events": [
      {
        "seq": 5,
        "at": "2026-11-18T10:00:07Z",
        "name": "operation.admitted",
        "prev": "0000000000000000000000000000000000000000000000000000000000000025",
        "hash": "0000000000000000000000000000000000000000000000000000000000000026",
        "body": {
          "event": "operation.admitted",
          "operation": {
            "id": "op_01recorded0000000000000014",
            "at": "2026-11-18T10:00:07Z",
            "principal": {
              "agent": "claude-code",
              "session": "ses_01recorded0000000000000003",
              "user": "dana"
            },
            "subject": {
              "subject": "llm",
              "endpoint": {
                "scheme": "https",
                "host": "api.anthropic.com",
                "port": 443,
                "method": "POST",
                "path": "/v1/messages"
              },
              "dialect": "anthropic_messages",
              "provider": "anthropic",
              "model": "claude-sonnet-5",
              "stream": false,
              "input_bound": 167,
              "cache_write_bound": 0,
              "cache_one_hour": false,
              "output_limit": 256,
              "candidates": 1,
              "multipliers": [
                "us"
              ],
              "billing": "metered",
              "body_bytes": 135
            },
            "content": "0000000000000000000000000000000000000000000000000000000000000027",
            "summary": "claude-sonnet-5 at api.anthropic.com, 1 message, 0 tools"
          },
          "verdict": {
            "decision": "allow",
            "obligations": [],
            "reasons": [
              {
                "rule": "allow-known-llm",
                "text": "a known language model provider",
                "layer": "preset",
                "file": "presets/balanced.cedar",
                "line": 7,
                "liftable": false
              },
              {
                "rule": "allow-declared-llm",
                "text": "a language model host that your configuration declares",
                "layer": "preset",
                "file": "presets/balanced.cedar",
                "line": 17,
                "liftable": false
              }
            ],
            "risk": "low",
            "risk_reasons": [
              "first time here",
              "spends money"
            ],
            "revision": "c2d8a8f99674",
            "lifted_by": []
          },
          "reservation": {
            "id": "rsv_01recorded0000000000000040",
            "operation": "op_01recorded0000000000000014",
            "amount": 3183400,
            "tokens": 423,
            "accounts": [
              {
                "budget": "demo-session",
                "key": "session:ses_01recorded0000000000000003",
                "window_start": "1970-01-01T00:00:00Z",
                "limit": {
                  "unit": "money",
                  "amount": 100000000
                }
              }
            ],
            "output_limit": 256,
            "price": "claude-sonnet-5 @ 2026-11-20"
          },
          "mode": "enforce"
        }
      },
      {
        "seq": 6,
        "at": "2026-11-18T10:00:07Z",
        "name": "operation.settled",
        "prev": "0000000000000000000000000000000000000000000000000000000000000026",
        "hash": "0000000000000000000000000000000000000000000000000000000000000020",
        "body": {
          "event": "operation.settled",
          "outcome": {
            "ending": "complete",
            "status": 200,
            "usage": {
              "input": 24,
              "cache_read": 0,
              "cache_write": 0,
              "cache_write_1h": 0,
              "output": 31,
              "reasoning": 0,
              "web_searches": 0,
              "service_tier": "standard"
            },
            "usage_final": true,
            "counted_output": 18,
            "served_model": "claude-sonnet-5",
            "request_bytes": 135,
            "response_bytes": 494,
            "first_byte_ms": 180,
            "total_ms": 240,
            "masked": 0,
            "peer": "127.0.0.1:7117"
          },
          "settlement": {
            "amount": 358000,
            "worth": 358000,
            "tokens": 55,
            "estimated": false,
            "overrun": false
          }
        }
      }
    ],
    "seal": null,
    "ip": "127.0.0.1:7117",
    "parent": null,
    "verdict": {
      "decision": "allow",
      "reasons": [
        {
          "rule": "allow-known-llm",
          "text": "a known language model provider",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 7,
          "liftable": false
        },
        {
          "rule": "allow-declared-llm",
          "text": "a language model host that your configuration declares",
          "layer": "preset",
          "file": "presets/balanced.cedar",
          "line": 17,
          "liftable": false
        }
      ],
      "risk": "low",
      "riskReasons": [
        "first time here",
        "spends money"
      ],
      "revision": "c2d8a8f99674",
      "liftedBy": []
    },
    "denial": null,
    "cost": {
      "reserved": 3183400,
      "reservedTokens": 423,
      "settled": 358000,
      "worth": 358000,
      "tokens": 55,
      "estimated": false,
      "overrun": false,
      "price": "claude-sonnet-5 @ 2026-11-20",
      "accounts": [
        "session:ses_01recorded0000000000000003"
      ]
    },
    "view": null,
    "subject": {
      "subject": "llm",
      "endpoint": {
        "scheme": "https",
        "host": "api.anthropic.com",
        "port": 443,
        "method": "POST",
        "path": "/v1/messages"
      },
      "dialect": "anthropic_messages",
      "provider": "anthropic",
      "model": "claude-sonnet-5",
      "stream": false,
      "input_bound": 167,
      "cache_write_bound": 0,
      "cache_one_hour": false,
      "output_limit": 256,
      "candidates": 1,
      "multipliers": [
        "us"
      ],
      "billing": "metered",
      "body_bytes": 135
    },
    "outcome": {
      "ending": "complete",
      "status": 200,
      "usage": {
        "input": 24,
        "cache_read": 0,
        "cache_write": 0,
        "cache_write_1h": 0,
        "output": 31,
        "reasoning": 0,
        "web_searches": 0,
        "service_tier": "standard"
      },
      "usage_final": true,
      "counted_output": 18,
      "served_model": "claude-sonnet-5",
      "request_bytes": 135,
      "response_bytes": 494,
      "first_byte_ms": 180,
      "total_ms": 240,
      "masked": 0,
      "peer": "127.0.0.1:7117"
    }
  }
];

export const facets: FacetsDto = {
  "groups": [
    {
      "key": "decision",
      "values": [
        {
          "value": "allowed",
          "count": 2
        },
        {
          "value": "denied",
          "count": 2
        },
        {
          "value": "approved",
          "count": 1
        },
        {
          "value": "held",
          "count": 1
        },
        {
          "value": "refused",
          "count": 1
        }
      ]
    },
    {
      "key": "agent",
      "values": [
        {
          "value": "claude-code",
          "count": 5
        },
        {
          "value": "codex",
          "count": 2
        }
      ]
    },
    {
      "key": "kind",
      "values": [
        {
          "value": "http",
          "count": 5
        },
        {
          "value": "llm",
          "count": 2
        }
      ]
    },
    {
      "key": "host",
      "values": [
        {
          "value": "staging.acme.example",
          "count": 3
        },
        {
          "value": "api.anthropic.com",
          "count": 2
        },
        {
          "value": "api.acme.example",
          "count": 1
        },
        {
          "value": "paste.example",
          "count": 1
        }
      ]
    },
    {
      "key": "rule",
      "values": [
        {
          "value": "ask-destructive",
          "count": 3
        },
        {
          "value": "allow-declared-llm",
          "count": 1
        },
        {
          "value": "allow-known-llm",
          "count": 1
        },
        {
          "value": "ask-first-credential",
          "count": 1
        },
        {
          "value": "demo-session",
          "count": 1
        },
        {
          "value": "no-paste-sites",
          "count": 1
        }
      ]
    },
    {
      "key": "credential",
      "values": [
        {
          "value": "acme-demo",
          "count": 1
        }
      ]
    },
    {
      "key": "risk",
      "values": [
        {
          "value": "high",
          "count": 3
        },
        {
          "value": "low",
          "count": 2
        },
        {
          "value": "medium",
          "count": 2
        }
      ]
    },
    {
      "key": "model",
      "values": [
        {
          "value": "claude-sonnet-5",
          "count": 2
        }
      ]
    }
  ],
  "matches": 7,
  "total": 7,
  "capped": false,
  "cost": 358000,
  "p95Ms": 12,
  "binMs": 531,
  "bins": [
    {
      "at": "2026-11-18T10:00:07Z",
      "allowed": 1,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:07.531Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:08.062Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:08.593Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:09.124Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:09.655Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:10.186Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:10.717Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:11.248Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:11.779Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:12.310Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:12.841Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:13.372Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:13.903Z",
      "allowed": 1,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:14.434Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:14.965Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:15.496Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:16.027Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:16.558Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:17.089Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:17.620Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:18.151Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:18.682Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:19.213Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:19.744Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:20.275Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:20.806Z",
      "allowed": 0,
      "held": 0,
      "denied": 1
    },
    {
      "at": "2026-11-18T10:00:21.337Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:21.868Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:22.399Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:22.930Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:23.461Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:23.992Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:24.523Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:25.054Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:25.585Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:26.116Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:26.647Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:27.178Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:27.709Z",
      "allowed": 1,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:28.240Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:28.771Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:29.302Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:29.833Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:30.364Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:30.895Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:31.426Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:31.957Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:32.488Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:33.019Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:33.550Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:34.081Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:34.612Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:35.143Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:35.674Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:36.205Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:36.736Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:37.267Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:37.798Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:38.329Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:38.860Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:39.391Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:39.922Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:40.453Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:40.984Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:41.515Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:42.046Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:42.577Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:43.108Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:43.639Z",
      "allowed": 0,
      "held": 0,
      "denied": 1
    },
    {
      "at": "2026-11-18T10:00:44.170Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:44.701Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:45.232Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:45.763Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:46.294Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:46.825Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:47.356Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:47.887Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:48.418Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:48.949Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:49.480Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:50.011Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:50.542Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:51.073Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:51.604Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:52.135Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:52.666Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:53.197Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:53.728Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:54.259Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:54.790Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:55.321Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:55.852Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:56.383Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:56.914Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:57.445Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:57.976Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:58.507Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:59.038Z",
      "allowed": 0,
      "held": 0,
      "denied": 0
    },
    {
      "at": "2026-11-18T10:00:59.569Z",
      "allowed": 0,
      "held": 1,
      "denied": 1
    }
  ]
};
