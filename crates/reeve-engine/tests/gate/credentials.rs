//! Credentials as sessions hold them: what may carry them, and for whom.

use reeve_domain::clock::Clock as _;
use reeve_domain::credential::{Binding, Credential, Place, Slot};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, CredentialId};
use reeve_domain::sensitive::Secret;
use reeve_engine::credentials::Credentials;
use reeve_store::Change;
use reeve_vault::Vault;

use super::world::World;

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
