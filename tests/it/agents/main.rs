//! The real Claude Code, Codex, Gemini CLI and opencode, each governed end to end through `reeve run` against the project's
//! own provider on loopback: what they print, what they send, what arrives, what the Timeline shows and what it cost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod holds;
mod journeys;
mod over_http;
mod particular;
mod servers;
mod silent;

use reeve_tests::tools::Tool;

/// The same journeys for every tool.
macro_rules! journeys {
    ($($tool:ident: $variant:ident),+ $(,)?) => { $(
        mod $tool {
            use super::{Tool, holds, journeys, over_http, servers, silent};

            #[tokio::test]
            async fn a_text_turn_is_paid_for_and_carries_the_real_key() {
                journeys::text_turn(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn without_a_stored_credential_the_tools_own_login_passes_and_is_metered() {
                journeys::own_login(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_shell_tool_call_runs_and_its_result_reaches_the_model() {
                journeys::shell_turn(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_slow_stream_is_passed_on_while_it_goes_on() {
                journeys::streamed_turn(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_held_call_goes_upstream_only_after_it_was_approved() {
                journeys::held_and_approved(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_refused_call_never_goes_upstream_and_the_tool_shows_our_words_once() {
                journeys::held_and_refused(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_call_over_budget_is_refused_in_our_words() {
                journeys::over_budget(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_call_that_would_cost_more_than_is_left_goes_out_with_a_lower_limit_and_the_tool_goes_on() {
                journeys::lowered_limit(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_call_held_longer_than_its_head_may_be_withheld_is_kept_alive_and_goes_on() {
                holds::kept_alive(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_refusal_inside_an_open_stream_ends_the_call_and_its_repeat_meets_the_same_refusal() {
                holds::refused_inside(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_denied_host_is_never_contacted_and_the_shell_hears_why() {
                journeys::denied_host(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_tool_of_a_server_is_called_through_the_wrapper_in_the_agents_own_session() {
                servers::called(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_tool_call_that_a_rule_forbids_is_never_made_and_the_model_reads_why() {
                servers::denied(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_tool_that_no_circumstance_permits_is_left_out_of_what_the_model_is_offered() {
                servers::left_out(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_held_tool_call_goes_to_its_server_only_after_it_was_approved() {
                servers::held(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn tools_over_http_and_behind_the_bridge_are_called_denied_and_held_and_their_results_reach_the_model() {
                over_http::called(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_tool_call_held_for_longer_than_the_tool_bears_silence_is_answered_or_meets_its_question_again() {
                silent::held(Tool::$variant).await.unwrap();
            }

            #[tokio::test]
            async fn a_credential_used_in_the_shell_is_asked_about_injected_and_masked() {
                journeys::credential_in_the_shell(Tool::$variant).await.unwrap();
            }
        }
    )+ };
}

journeys! {
    claude_code: Claude,
    codex: Codex,
    gemini_cli: Gemini,
    opencode: Opencode,
}
