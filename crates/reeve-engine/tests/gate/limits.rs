//! Limits that are set at the same time: none is lost to another.

use reeve_domain::budget::{BudgetDefinition, Limit, OnExhausted, Scope, Window};
use reeve_domain::id::BudgetId;
use reeve_domain::money::NanoUsd;

use crate::world::{World, dana};

pub fn limit(id: &str) -> BudgetDefinition {
    BudgetDefinition {
        id: BudgetId::parse(id).unwrap(),
        scope: Scope::Me,
        model: None,
        window: Window::Day,
        limit: Limit::Money(NanoUsd(5_000_000_000)),
        on_exhausted: OnExhausted::Deny,
        output_floor: 256,
        file: String::new(),
        line: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_are_set_at_the_same_time_all_stand() {
    let world = World::new().await;
    let names = ["one", "two", "three", "four"];
    let setting = names.map(|name| {
        let engine = world.engine.clone();
        tokio::spawn(async move { engine.set_budget(limit(name), &dana(None)).await })
    });
    for set in setting {
        set.await.unwrap().unwrap();
    }
    let in_force = world.engine.policies().in_force();
    let standing = |name: &&str| in_force.limits.budgets().iter().any(|limit| limit.id.as_str() == *name);
    assert!(names.iter().all(standing), "{:?}", in_force.limits.budgets());
}
