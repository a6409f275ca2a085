//! Credentials as sessions hold them: what may carry them, and for whom.

use reeve_domain::approval::{GrantScope, Resolution};
use reeve_domain::clock::Clock as _;
use reeve_domain::credential::{Binding, Credential, Place, Slot};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, CredentialId};
use reeve_domain::sensitive::Secret;
use reeve_engine::credentials::Credentials;
use reeve_engine::{EngineError, LiveSession};
use reeve_store::Change;
use reeve_vault::Vault;
use serde_json::Value;

use super::world::World;
use super::{admitted, denied};

#[tokio::test]
async fn a_variable_carries_one_credential_for_an_agent_and_a_pair_of_before_is_named_with_the_way_out() {
    let world = World::new().await;
    let (claude, codex) = (AgentId::parse("claude-code").unwrap(), AgentId::parse("codex").unwrap());
    let place = || Place { host: Host::parse("api.example.com").unwrap(), port: 443, methods: Vec::new(), path: None };
    let binding = |agents: &[&AgentId]| {
        let agents = agents.iter().map(|agent| (*agent).clone()).collect();
        Binding { agents, place: place(), slot: Slot::Bearer }
    };
    let credential = |id: &str, variable: &str, agents: &[&AgentId]| Credential {
        id: CredentialId::parse(id).unwrap(),
        name: id.to_owned(),
        placeholder: format!("reeve-{id}-placeholder"),
        variables: vec![variable.to_owned()],
        bindings: vec![binding(agents)],
        added_at: world.clock.now(),
        rotated_at: None,
        rotate_days: None,
    };
    let credentials = world.engine.credentials();
    let add = async |one: Credential| credentials.add(one, Secret::from("a-secret-of-some-length".to_owned())).await;
    add(credential("first", "API_KEY", &[&claude])).await.unwrap();
    let said = "`API_KEY` already carries `first`: replace that one, remove it, or give another variable";
    for agents in [&[&claude][..], &[&codex, &claude], &[]] {
        assert_eq!(add(credential("second", "API_KEY", agents)).await.unwrap_err().to_string(), said);
    }
    add(credential("other", "OTHER_KEY", &[])).await.unwrap();
    // Who never meets the other one may have the variable, and only as long as they do not meet.
    add(credential("second", "API_KEY", &[&codex])).await.unwrap();
    let second = CredentialId::parse("second").unwrap();
    let refused = credentials.bind(&second, binding(&[&claude])).await.unwrap_err().to_string();
    assert!(refused.starts_with("`API_KEY` already carries `first` for an agent"), "{refused}");
    credentials.bind(&second, binding(&[&codex])).await.unwrap();
    credentials.uncontested(&claude).unwrap();

    let (old, id) = (credential("third", "API_KEY", &[&claude]), CredentialId::parse("third").unwrap());
    let event = Draft::engine(EventBody::CredentialAdded { credential: id });
    world.engine.store().append_with(vec![Change::Credential(old)], vec![event]).await.unwrap();
    let found = Credentials::load(world.engine.store().clone(), Vault::memory()).await.unwrap();
    found.uncontested(&codex).unwrap();
    let refused = found.uncontested(&claude).unwrap_err().to_string();
    assert!(refused.contains("both `first` and `third`") && refused.contains("`reeve cred rm third`"), "{refused}");
}

fn forge() -> CredentialId {
    CredentialId::parse("forge").unwrap()
}

fn binding(host: &str, path: Option<&str>, slot: Slot, agents: &[&str]) -> Binding {
    let agents = agents.iter().map(|agent| AgentId::parse(agent).unwrap()).collect();
    let path = path.map(str::to_owned);
    Binding { agents, place: Place { host: Host::parse(host).unwrap(), port: 443, methods: Vec::new(), path }, slot }
}

fn header(name: &str) -> Slot {
    Slot::Header { name: name.to_owned() }
}

/// A world with a credential for every agent at two hosts.
async fn two_places() -> World {
    let world = World::new().await;
    let bindings = ["one.example", "two.example"].map(|host| binding(host, None, Slot::Bearer, &[]));
    let credential = Credential {
        id: forge(),
        name: "Forge".to_owned(),
        placeholder: "reeve-forge-placeholder".to_owned(),
        variables: vec!["FORGE_TOKEN".to_owned()],
        bindings: bindings.to_vec(),
        added_at: world.clock.now(),
        rotated_at: None,
        rotate_days: None,
    };
    let secret = Secret::from("a-secret-of-some-length".to_owned());
    world.engine.credentials().add(credential, secret).await.unwrap();
    world
}

/// Into which slot it would go for a session.
fn slot(world: &World, live: &LiveSession, host: &str, path: &str) -> Option<Slot> {
    let endpoint = world.http(live, "GET", host, path).endpoint().unwrap().clone();
    world.engine.credentials().slot_at(live, &forge(), &endpoint).map(|(slot, _)| slot)
}

fn bindings(world: &World) -> Vec<Binding> {
    world.engine.credentials().find(&forge()).unwrap().bindings
}

/// What was recorded of places, the oldest first: `+place` and `-place`.
async fn told(world: &World) -> Vec<String> {
    let events = world.engine.store().events(None, 100).await.unwrap();
    let mut told: Vec<(u64, String)> = events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::CredentialBound { place, .. } => Some((event.seq, format!("+{place}"))),
            EventBody::CredentialUnbound { place, .. } => Some((event.seq, format!("-{place}"))),
            _ => None,
        })
        .collect();
    told.sort();
    told.into_iter().map(|(_, told)| told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_was_taken_away_gets_nothing_from_then_on_and_the_others_stay() {
    let world = two_places().await;
    let live = world.session("claude-code").await;
    let to = |method: &str, host: &str, path: &str| {
        let mut operation = world.http(&live, method, host, path);
        operation.credential = Some(forge());
        operation
    };
    // The first use is asked about; under way, it keeps what it has.
    let first = world.spawn_admit(to("GET", "one.example", "/first"));
    let held = world.held().await;
    world.answer(&held, Resolution::Approved { scope: GrantScope::Session }).await.unwrap();
    let under_way = admitted(first.await.unwrap());
    let second = world.spawn_admit(to("POST", "two.example", "/first"));
    let held = world.held().await;

    let credentials = world.engine.credentials();
    credentials.unbind(&forge(), &binding("two.example", None, Slot::Bearer, &["whoever"])).await.unwrap();
    assert_eq!(bindings(&world), [binding("one.example", None, Slot::Bearer, &[])]);
    assert_eq!(told(&world).await, ["-two.example:443"]);
    // Nobody told the session's secrets so far.
    assert_eq!(
        (slot(&world, &live, "one.example", "/"), slot(&world, &live, "two.example", "/")),
        (Some(Slot::Bearer), None)
    );
    // A yes that comes later does not bring it back.
    world.answer(&held, Resolution::Approved { scope: GrantScope::Once }).await.unwrap();
    let refused = denied(second.await.unwrap());
    assert!(refused.message.contains("is not bound to this place for this agent"), "{}", refused.message);

    credentials.unbind(&forge(), &binding("one.example", None, Slot::Bearer, &[])).await.unwrap();
    assert!(under_way.injection().is_some());
    let refused = denied(world.gate().admit(to("GET", "one.example", "/second"), Value::Null).await);
    assert!(refused.message.contains("is not bound to this place for this agent"), "{}", refused.message);
    // It stays without a place: agents that start now do not get its placeholder.
    assert!(bindings(&world).is_empty() && credentials.hold_for(&live.session.agent).await.credentials.is_empty());
    world.engine.refresh_secrets().await;
    assert!(world.engine.placeholders(&live).is_empty());
    let gone = credentials.unbind(&forge(), &binding("one.example", None, Slot::Bearer, &[])).await.unwrap_err();
    assert!(
        matches!(&gone, EngineError::NotFound { what: "place", name } if name == "one.example:443, bearer"),
        "{gone}"
    );
    assert_eq!(told(&world).await, ["-two.example:443", "-one.example:443"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_bound_again_is_for_the_agents_of_then_and_stays_where_it_was() {
    let world = two_places().await;
    let (claude, codex) = (world.session("claude-code").await, world.session("codex").await);
    let credentials = world.engine.credentials();
    let one = |agents: &[&str]| binding("one.example", None, Slot::Bearer, agents);
    credentials.bind(&forge(), one(&["codex"])).await.unwrap();
    assert_eq!(bindings(&world), [one(&["codex"]), binding("two.example", None, Slot::Bearer, &[])]);
    let at_one = |live: &LiveSession| slot(&world, live, "one.example", "/");
    assert_eq!((at_one(&claude), at_one(&codex)), (None, Some(Slot::Bearer)));
    credentials.bind(&forge(), one(&["claude-code"])).await.unwrap();
    assert_eq!((at_one(&claude), at_one(&codex)), (Some(Slot::Bearer), None));
    assert_eq!(told(&world).await, ["+one.example:443", "+one.example:443"]);

    // In another slot it is another place: for other agents it may be there, for the same ones it would never be used.
    let twice =
        credentials.bind(&forge(), binding("one.example", Some("/v1"), header("x-key"), &["claude-code"])).await;
    assert!(twice.unwrap_err().to_string().contains("in another slot already"));
    credentials.bind(&forge(), binding("one.example", None, header("x-key"), &["codex"])).await.unwrap();
    assert_eq!((at_one(&claude), at_one(&codex)), (Some(Slot::Bearer), Some(header("x-key"))));
    assert!(credentials.bind(&forge(), one(&[])).await.is_err(), "it would hide the other one");
    assert_eq!(bindings(&world).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_exchanged_for_another_at_once_and_only_where_it_is_still_there() {
    let world = two_places().await;
    let live = world.session("claude-code").await;
    let credentials = world.engine.credentials();
    let (wrong, right) =
        (binding("one.example", None, Slot::Bearer, &[]), binding("won.example", None, header("x-key"), &[]));
    credentials.rebind(&forge(), &wrong, right.clone()).await.unwrap();
    assert_eq!(bindings(&world), [right.clone(), binding("two.example", None, Slot::Bearer, &[])]);
    assert_eq!(told(&world).await, ["-one.example:443", "+won.example:443"]);
    assert_eq!(
        (slot(&world, &live, "one.example", "/"), slot(&world, &live, "won.example", "/")),
        (None, Some(header("x-key")))
    );
    // Methods are a set, and a place that comes to be another one of the credential's is that one.
    let mut two = binding("two.example", Some("/v1"), Slot::Bearer, &["codex"]);
    two.place.methods = vec!["GET".to_owned(), "POST".to_owned()];
    credentials.rebind(&forge(), &binding("two.example", None, Slot::Bearer, &[]), two.clone()).await.unwrap();
    two.place.methods.reverse();
    credentials.rebind(&forge(), &right, two.clone()).await.unwrap();
    assert_eq!(bindings(&world), [two]);
    assert!(matches!(
        credentials.rebind(&forge(), &wrong, right).await,
        Err(EngineError::NotFound { what: "place", .. })
    ));
}
