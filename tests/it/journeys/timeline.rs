//! The timeline's reads on a real engine: values while typing, sessions with their sums, the waterfall of one, a record by
//! its number, and views that stay in their file.

use reeve_api::contract::ApiCode;
use reeve_api::contract::audit::{RecordDto, RecordInput};
use reeve_api::contract::calls::{AuditCall, OperationsCall, SessionsCall};
use reeve_api::contract::operations::{
    FacetsDto, FacetsInput, OperationDetailDto, OperationInput, ValuesDto, ValuesInput,
};
use reeve_api::contract::sessions::{FlowDto, FlowInput, SearchSessionsInput, SessionsPage};
use reeve_api::contract::views::{ViewDto, ViewInput, ViewsDto};
use reeve_testkit::agent::Speak;
use reeve_tests::stage::{Setting, Stage};

use super::{get, messages};

#[tokio::test]
async fn what_an_agent_did_is_found_counted_and_drawn_by_session() {
    let stage = Stage::set(Setting::default()).await.unwrap();
    let (agent, opened) = stage.agent("tester").await.unwrap();
    let (idle, _) = stage.agent("idler").await.unwrap();
    for text in ["one", "two"] {
        assert!(agent.send(Speak::H1, messages(false, 100, text)).await.unwrap().whole);
    }
    idle.send(Speak::H1, get("https://api.github.com/user", None)).await.unwrap();
    // Until nothing of it goes on any more.
    stage.rows("kind:llm").await.unwrap();
    let client = stage.client();
    let values = async |query: &str, key: &str, begun: &str| -> Vec<(String, u64)> {
        let (query, key, begun) = (query.to_owned(), key.to_owned(), begun.to_owned());
        let call = OperationsCall::Values(ValuesInput { query, key, begun });
        let found: ValuesDto = client.call(&call).await.unwrap();
        found.values.into_iter().map(|value| (value.value, value.count)).collect()
    };
    assert_eq!(values("", "agent", "test").await, [("tester".to_owned(), 2)]);
    assert_eq!(values("agent:idler", "host", "").await, [("api.github.com".to_owned(), 1)]);
    let wrong =
        OperationsCall::Values(ValuesInput { query: String::new(), key: "agnt".to_owned(), begun: String::new() });
    assert_eq!(client.call::<ValuesDto>(&wrong).await.unwrap_err().code, ApiCode::Invalid);

    let query = "kind:llm".to_owned();
    let search = SearchSessionsInput { query: query.clone(), before: None, limit: 10 };
    let page: SessionsPage = client.call(&SessionsCall::Search(search)).await.unwrap();
    let [sum] = &page.rows[..] else { panic!("{page:?}") };
    assert_eq!((&sum.session.id, sum.actions, sum.denied), (&opened.session.id, 2, 0));
    assert!(sum.cost > 0);

    let flow = FlowInput { session: opened.session.id.clone(), query: String::new() };
    let flow: FlowDto = client.call(&SessionsCall::Flow(flow)).await.unwrap();
    assert_eq!((flow.nodes.len(), flow.turns.len()), (2, 1));
    assert_eq!(flow.turns[0].cost, sum.cost);
    assert!(flow.nodes.iter().all(|node| node.work.is_some() && node.wait == 0 && !node.open));

    let facets = FacetsInput { query: "kind:llm".to_owned(), bins_of: Some(String::new()) };
    let facets: FacetsDto = client.call(&OperationsCall::Facets(facets)).await.unwrap();
    assert_eq!((facets.matches, facets.total), (2, 3));
    let drawn: u64 = facets.bins.iter().map(|bin| bin.allowed + bin.held + bin.denied).sum();
    assert_eq!(drawn, 3, "the histogram shows more than the query finds");

    let operation = flow.nodes[0].id.clone();
    let detail: OperationDetailDto =
        client.call(&OperationsCall::Get(OperationInput { operation: operation.clone() })).await.unwrap();
    let record: RecordDto = client.call(&AuditCall::Record(RecordInput { record: detail.row.record })).await.unwrap();
    assert_eq!(
        (record.operation, record.problem, record.event),
        (Some(operation), None, Some(detail.events[0].clone()))
    );
    let beyond = AuditCall::Record(RecordInput { record: 1_000_000 });
    assert_eq!(client.call::<RecordDto>(&beyond).await.unwrap_err().code, ApiCode::NotFound);
    stage.verify().await.unwrap();
}

#[tokio::test]
async fn a_view_stays_in_its_file_until_it_is_removed() {
    let stage = Stage::set(Setting::default()).await.unwrap();
    let client = stage.client();
    let view = ViewDto { name: "Mine".to_owned(), query: "kind:llm cost:>0.05".to_owned() };
    let saved: ViewsDto = client.call(&OperationsCall::SaveView(view.clone())).await.unwrap();
    assert_eq!(saved.views, std::slice::from_ref(&view));
    let text = std::fs::read_to_string(&saved.file).unwrap();
    assert!(text.contains("name = \"Mine\"\nquery = \"kind:llm cost:>0.05\""), "{text}");
    let read: ViewsDto = client.call(&OperationsCall::Views).await.unwrap();
    assert_eq!(read, saved);
    let gone: ViewsDto = client.call(&OperationsCall::RemoveView(ViewInput { name: view.name })).await.unwrap();
    assert_eq!(gone.views, []);
}
