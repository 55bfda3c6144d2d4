//! A reader of the part of JSON Schema that `docs/json` uses: strict in both directions. A keyword that it does not
//! know is a fault, and so is a field that no schema names.

use serde_json::{Map, Value};

/// What does not fit, each with its path. Empty: the value fits.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Reader { root: schema, found: &mut found }.check(schema, value, "$");
    found
}

struct Reader<'a> {
    root: &'a Value,
    found: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        if *schema == Value::Bool(true) {
            return;
        }
        let schema = schema.as_object().unwrap_or_else(|| panic!("{at}: a schema is an object"));
        for (word, says) in schema {
            self.word(word, says, schema, value, at);
        }
    }

    fn word(
        &mut self,
        word: &str,
        says: &Value,
        schema: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) {
        match word {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" | "maximum" => {}
            "$ref" => {
                let name = says.as_str().and_then(|s| s.strip_prefix("#/$defs/"));
                let root = self.root;
                let target = &root["$defs"][name.unwrap_or_else(|| panic!("{at}: {says}"))];
                self.check(target, value, at);
            }
            "type" => {
                let fits = match says {
                    Value::Array(all) => all.iter().any(|one| is(one, value)),
                    one => is(one, value),
                };
                self.fits(fits, at, word);
            }
            "const" => self.fits(says == value, at, word),
            "enum" => self.fits(says.as_array().unwrap().contains(value), at, word),
            "minimum" => {
                let small = value.as_f64().zip(says.as_f64()).is_some_and(|(v, least)| v < least);
                self.fits(!small, at, word);
            }
            "pattern" => self.fits(value.as_str().is_none_or(|text| matches(says, text)), at, word),
            "anyOf" | "oneOf" => {
                let all = says.as_array().unwrap();
                let root = self.root;
                let fits = |one: &&Value| {
                    let mut found = Vec::new();
                    Reader { root, found: &mut found }.check(one, value, at);
                    found.is_empty()
                };
                let count = all.iter().filter(fits).count();
                self.fits(count == 1 || (word == "anyOf" && count > 1), at, word);
            }
            "items" | "required" | "properties" | "additionalProperties" => {
                self.parts(word, says, schema, value, at);
            }
            other => panic!("{at}: the schema has '{other}', which this reader does not know"),
        }
    }

    fn parts(
        &mut self,
        word: &str,
        says: &Value,
        schema: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) {
        match word {
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(says, item, &format!("{at}[{n}]"));
                }
            }
            "required" => {
                for name in says.as_array().unwrap() {
                    let name = name.as_str().unwrap();
                    self.fits(
                        !value.is_object() || value.get(name).is_some(),
                        at,
                        &format!("no '{name}'"),
                    );
                }
            }
            "properties" => {
                for (name, one) in value.as_object().into_iter().flatten() {
                    match says.get(name) {
                        Some(schema) => self.check(schema, one, &format!("{at}.{name}")),
                        None if schema.contains_key("additionalProperties") => {}
                        None => self.found.push(format!("{at}: '{name}' is in no schema")),
                    }
                }
            }
            _ => {
                let named = schema.get("properties").and_then(Value::as_object);
                for (name, one) in value.as_object().into_iter().flatten() {
                    if named.is_some_and(|named| named.contains_key(name)) {
                        continue;
                    }
                    match says {
                        Value::Bool(allowed) => self.fits(*allowed, at, &format!("'{name}'")),
                        says => self.check(says, one, &format!("{at}.{name}")),
                    }
                }
            }
        }
    }

    fn fits(&mut self, fits: bool, at: &str, what: &str) {
        if !fits {
            self.found.push(format!("{at}: {what}"));
        }
    }
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type '{other}'"),
    }
}

/// The patterns that our values have.
fn matches(pattern: &Value, text: &str) -> bool {
    match pattern.as_str().unwrap() {
        "^[0-9a-f]{64}$" => {
            text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        }
        "^[a-z]-[0-9]{8,}$" => {
            let digits = text.get(2..).unwrap_or_default();
            text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.get(1..2) == Some("-")
                && digits.len() >= 8
                && digits.bytes().all(|b| b.is_ascii_digit())
        }
        "^[0-9]{1,4}-[0-9]{4,}$" => {
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            text.split_once('-').is_some_and(|(year, number)| {
                (1..=4).contains(&year.len()) && number.len() >= 4 && digits(year) && digits(number)
            })
        }
        other => panic!("this reader does not know the pattern '{other}'"),
    }
}
