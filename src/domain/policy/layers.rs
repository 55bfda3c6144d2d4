//! Layers of a policy: common rules, a regulation's over them, and what one link has over that.
//!
//! The last layer that has a rule decides, and each value knows which layer and clause it came from. What a clause of a
//! regulation says may only be made stricter by a layer above it; a weaker value needs an exception with a document and an
//! end, after which what lies beneath holds again by itself. What is ours (`own`) a layer above may relax.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    parameters::{Parameter, absent},
    value::Value,
};

/// The clause of a rule that is ours and not a text's.
pub const OWN: &str = "own";

/// A document that allows a weaker value for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its number.
    pub doc_no: String,
    /// The last day on which it counts.
    pub until: NaiveDate,
}

/// A rule of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRule {
    /// The value.
    pub value: Value,
    /// The clause, or `own`.
    pub clause: String,
    /// What allows it, where it is weaker.
    pub exception: Option<Exception>,
}

/// Rules by the key of their parameter.
pub type LayerRules = BTreeMap<&'static str, LayerRule>;

/// Rules as they are written in a file: groups of rules, in JSON, which is YAML as well.
#[must_use]
pub fn render(rules: &LayerRules) -> String {
    let mut groups = serde_json::Map::new();
    for (key, rule) in rules {
        let Some((group, name)) = key.split_once('.') else { continue };
        let mut written = serde_json::json!({ "value": rule.value.json(), "clause": rule.clause });
        if let (Some(exception), Some(fields)) = (&rule.exception, written.as_object_mut()) {
            let until = exception.until.to_string();
            let exception = serde_json::json!({ "doc_no": exception.doc_no, "until": until });
            fields.insert("exception".to_owned(), exception);
        }
        let group = groups.entry(group.to_owned()).or_insert_with(|| serde_json::json!({}));
        if let Some(fields) = group.as_object_mut() {
            fields.insert(name.to_owned(), written);
        }
    }
    serde_json::Value::from(groups).to_string()
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The policy's name, or that of a link after `link `.
    pub name: String,
    /// Its rules.
    pub rules: LayerRules,
}

/// A value that holds, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruled {
    /// The value.
    pub value: Value,
    /// The clause, or `own`.
    pub clause: String,
    /// The layer.
    pub layer: String,
    /// What allows it, where it is an exception.
    pub exception: Option<Exception>,
}

/// A value that is weaker than it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weaker {
    /// The parameter.
    pub key: &'static str,
    /// What the text beneath says; nothing where no layer beneath has such a rule.
    pub than: Option<Ruled>,
    /// What it means that no layer beneath has such a rule, where that is stricter; nothing where an exception has nothing
    /// beneath it.
    pub absent: Option<Value>,
}

/// The layers of one policy, the common one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// The layers.
    pub layers: Vec<Layer>,
}

impl Stack {
    /// What holds on a day; without one, what holds when every exception has ended.
    #[must_use]
    pub fn on(&self, day: Option<NaiveDate>) -> BTreeMap<&'static str, Ruled> {
        let mut held: BTreeMap<&'static str, Ruled> = BTreeMap::new();
        for layer in &self.layers {
            for (key, rule) in &layer.rules {
                let ended = |e: &Exception| day.is_none_or(|day| day > e.until);
                if !rule.exception.as_ref().is_some_and(ended) {
                    held.insert(key, rule.of(&layer.name));
                }
            }
        }
        held
    }

    /// What the last layer has that is weaker than it may be; those beneath were judged before.
    #[must_use]
    pub fn weaker(&self) -> Vec<Weaker> {
        let Some((last, beneath)) = self.layers.split_last() else { return Vec::new() };
        let mut floors: BTreeMap<&'static str, Ruled> = BTreeMap::new();
        let mut there: Vec<&'static str> = Vec::new();
        for layer in beneath {
            for (key, rule) in &layer.rules {
                there.push(key);
                if rule.exception.is_none() && rule.clause != OWN {
                    floors.insert(key, rule.of(&layer.name));
                }
            }
        }
        // A file that stands on nothing, and one that says by which clause who gets data, are themselves the text.
        let text = beneath.is_empty() || last.opens_by_a_text();
        let judged = last.rules.iter().filter_map(|(key, rule)| {
            let absent = absent(key).filter(|_| !there.contains(key));
            if rule.exception.is_some() {
                let from_nothing = !there.contains(key) && absent.is_none();
                return from_nothing.then_some(Weaker { key, than: None, absent: None });
            }
            let parameter = Parameter::of(key)?;
            let holds = |value: &Value| rule.value.holds(value, parameter.stricter, parameter.kind);
            if let Some(floor) = floors.get(key) {
                let than = Some(floor.clone());
                return (!holds(&floor.value)).then_some(Weaker { key, than, absent: None });
            }
            let absent = absent.filter(|value| !text && !holds(value))?;
            Some(Weaker { key, than: None, absent: Some(absent) })
        });
        judged.collect()
    }

    /// Whether any layer has an exception.
    #[must_use]
    pub fn has_exceptions(&self) -> bool {
        let mut rules = self.layers.iter().flat_map(|layer| layer.rules.values());
        rules.any(|rule| rule.exception.is_some())
    }

    /// Every exception, ended ones too: layer, parameter, and what allows it.
    pub fn exceptions(&self) -> impl Iterator<Item = (&str, &str, &Exception)> {
        self.layers.iter().flat_map(|layer| {
            let rules = layer.rules.iter();
            rules.filter_map(|(key, rule)| {
                Some((layer.name.as_str(), &**key, rule.exception.as_ref()?))
            })
        })
    }

    /// The exceptions that stand on a day, by layer and parameter.
    #[must_use]
    pub fn standing(&self, day: NaiveDate) -> Vec<String> {
        let of = |layer: &Layer| {
            let rules = layer.rules.iter();
            let stand =
                rules.filter(|(_, rule)| rule.exception.as_ref().is_some_and(|e| day <= e.until));
            stand.map(|(key, _)| format!("{}: {key}", layer.name)).collect::<Vec<_>>()
        };
        self.layers.iter().flat_map(of).collect()
    }

    /// The same with one layer more.
    #[must_use]
    pub fn with(&self, layer: Layer) -> Self {
        let mut layers = self.layers.clone();
        layers.push(layer);
        Self { layers }
    }
}

/// How the name of a link's own layer begins; no policy's name has a space.
const LINK: &str = "link ";

impl Layer {
    /// What one link has over its policy.
    #[must_use]
    pub fn of_link(link: &str, rules: LayerRules) -> Self {
        Self { name: format!("{LINK}{link}"), rules }
    }

    /// Whether this is a policy's file, never a link's, that opens the handing on of data by a clause.
    fn opens_by_a_text(&self) -> bool {
        let by_clause = |rule: &LayerRule| rule.clause != OWN && rule.exception.is_none();
        !self.name.starts_with(LINK) && self.rules.get("handover.recipients").is_some_and(by_clause)
    }
}

impl LayerRule {
    fn of(&self, layer: &str) -> Ruled {
        Ruled {
            value: self.value.clone(),
            clause: self.clause.clone(),
            layer: layer.to_owned(),
            exception: self.exception.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;
    use crate::domain::policy::parameters::PARAMETERS;

    const KEY: &str = "vendor.retention";

    fn rule(value: &str, clause: &str, exception: Option<&str>) -> LayerRules {
        let parameter = Parameter::of(KEY).unwrap();
        let exception = exception.map(|until| Exception {
            doc_no: "府婦字第1150000001號".to_owned(),
            until: until.parse().unwrap(),
        });
        let value = parameter.kind.parse(value).unwrap();
        [(parameter.key, LayerRule { value, clause: clause.to_owned(), exception })].into()
    }

    fn stack(layers: &[LayerRules]) -> Stack {
        let names = ["common", "taoyuan-dwcd", "site", "link moca-full"];
        let layer =
            |(name, rules): (&str, &LayerRules)| Layer { name: name.into(), rules: rules.clone() };
        Stack { layers: names.into_iter().zip(layers).map(layer).collect() }
    }

    fn on(stack: &Stack, day: &str) -> String {
        let held = stack.on(Some(day.parse().unwrap()));
        format!("{} {} {}", held[KEY].value.words(), held[KEY].clause, held[KEY].layer)
    }

    #[test]
    fn the_last_layer_decides_and_the_value_says_so() {
        let stack = stack(&[rule("P2M", OWN, None), rule("P1M", "TY-3.1.3a", None)]);
        assert_eq!(on(&stack, "2026-11-22"), "1 months TY-3.1.3a taoyuan-dwcd");
        assert!(stack.weaker().is_empty());
    }

    #[test]
    fn what_a_text_says_may_only_become_stricter() {
        let base = [rule("P2M", OWN, None), rule("P1M", "TY-3.1.3a", None)];
        for (value, weaker) in [("P10D", false), ("P1M", false), ("P2M", true), ("P31D", true)] {
            let stack = stack(&[base.as_slice(), &[rule(value, OWN, None)]].concat());
            let found = stack.weaker();
            assert_eq!(!found.is_empty(), weaker, "{value}");
            for one in found {
                assert_eq!(one.than.unwrap().clause, "TY-3.1.3a");
            }
        }
    }

    #[test]
    fn a_rule_of_ours_between_does_not_hide_the_text_beneath_it() {
        let layers =
            [rule("P1M", "TY-3.1.3a", None), rule("P10D", OWN, None), rule("P1Y", OWN, None)];
        assert_eq!(stack(&layers).weaker().len(), 1);
        // Back to what the text says is no weakening: the ten days were ours.
        let layers =
            [rule("P1M", "TY-3.1.3a", None), rule("P10D", OWN, None), rule("P1M", OWN, None)];
        assert!(stack(&layers).weaker().is_empty());
    }

    #[test]
    fn after_an_exception_the_stricter_value_holds_again_by_itself() {
        let exception = rule("P1Y", "TY-3.1.3a", Some("2027-03-31"));
        let stack = stack(&[rule("P1M", "TY-3.1.3a", None), exception]);
        assert!(stack.weaker().is_empty() && stack.has_exceptions());
        assert_eq!(on(&stack, "2027-03-31"), "12 months TY-3.1.3a taoyuan-dwcd");
        assert_eq!(on(&stack, "2027-04-01"), "1 months TY-3.1.3a common");
        assert_eq!(stack.on(None)[KEY].value.words(), "1 months");
        assert_eq!(stack.standing("2027-03-31".parse().unwrap()).len(), 1);
        assert!(stack.standing("2027-04-01".parse().unwrap()).is_empty());
    }

    #[test]
    fn an_exception_from_nothing_is_told() {
        let found = stack(&[LayerRules::new(), rule("P1Y", OWN, Some("2027-03-31"))]).weaker();
        assert_eq!(found, [Weaker { key: KEY, than: None, absent: None }]);
    }

    /// All rules of handing on, as wide as they go.
    fn handing_on(clause: &str, excepted: bool) -> LayerRules {
        let exception = excepted.then(|| Exception {
            doc_no: "府婦字第1150000001號".to_owned(),
            until: "2027-03-31".parse().unwrap(),
        });
        let rules = [
            ("handover.recipients", Value::Words(vec!["vendor".to_owned()])),
            ("handover.provider_doc", Value::Yes(false)),
            ("handover.off_premises", Value::Word("exception".to_owned())),
            ("handover.vendor_export", Value::Yes(false)),
            ("handover.key_apart", Value::Yes(true)),
            ("handover.retention", Parameter::of(KEY).unwrap().kind.parse("P1Y").unwrap()),
        ];
        let rule = |(key, value)| {
            (key, LayerRule { value, clause: clause.to_owned(), exception: exception.clone() })
        };
        rules.into_iter().map(rule).collect()
    }

    #[test]
    fn where_no_rule_of_handing_on_means_nobody_opening_it_needs_an_exception_or_a_text() {
        let beneath = |layer: Layer| {
            let common = Layer { name: "common".to_owned(), rules: rule("P1M", OWN, None) };
            let found = Stack { layers: vec![common, layer] }.weaker();
            assert!(found.iter().all(|one| one.absent.is_some()), "{found:?}");
            found.into_iter().map(|one| one.key).collect::<Vec<_>>()
        };
        let file = |rules| Layer { name: "site".to_owned(), rules };
        let wider = [
            "handover.off_premises",
            "handover.provider_doc",
            "handover.recipients",
            "handover.retention",
        ];
        assert_eq!(beneath(file(handing_on(OWN, false))), wider);
        assert_eq!(beneath(Layer::of_link("moca-full", handing_on(OWN, false))), wider);
        // A link is no text, whatever clause it names.
        assert_eq!(beneath(Layer::of_link("moca-full", handing_on("TY-2.3", false))), wider);
        assert!(beneath(Layer::of_link("moca-full", handing_on(OWN, true))).is_empty());
        assert!(beneath(file(handing_on("TY-2.3", false))).is_empty());
    }

    proptest! {
        /// Whatever layers say, once no exception stands nothing is weaker than any text of them says.
        #[test]
        fn accepted_layers_never_end_weaker_than_a_text(days in prop::collection::vec((1_u32..400, any::<bool>()), 1..4)) {
            let parameter = PARAMETERS.iter().find(|one| one.key == KEY).unwrap();
            let mut accepted = Stack::default();
            for (n, (days, own)) in days.iter().enumerate() {
                let clause = if *own { OWN } else { "TY-3.1.3a" };
                let with = accepted.with(Layer { name: n.to_string(), rules: rule(&format!("P{days}D"), clause, None) });
                if with.weaker().is_empty() {
                    accepted = with;
                }
            }
            let held = accepted.on(None)[KEY].value.clone();
            for layer in &accepted.layers {
                let rule = &layer.rules[KEY];
                let holds = held.holds(&rule.value, parameter.stricter, parameter.kind);
                prop_assert!(rule.clause == OWN || holds);
            }
        }
    }
}
