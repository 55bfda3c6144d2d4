//! One connection to the socket for services: HTTP/1.1, a question in JSON, its answer.
//!
//! Who asks is told by the kernel. Limits come before receiving: of a body no more is taken than a question may have, a
//! request that does not come whole in time ends the connection, and so does silence. What is asked is never logged here.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::{
    net::UnixStream,
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};

use super::{guest::House, writer::Message};
use crate::{
    domain::limits,
    error::{Error, Exit},
    service::{
        Caller, Result,
        serving::{Declared, Served},
        verifying::{Found, Verification, Verified},
    },
};

/// The interface in OpenAPI's words, as services read it.
const DESCRIPTION: &str = include_str!("../../docs/openapi.json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// RFC 9457.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

type Reply = Response<Full<Bytes>>;

/// The answer to a question.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Answer {
    /// Whether there is such a person in the data that are loaded.
    resident: bool,
}

/// Why there is none (RFC 9457).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Problem {
    /// What is wrong.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The next move, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: UnixStream, uid: u32, house: Arc<House>) {
    let idle = Duration::from_secs(limits::CONNECTION_IDLE_SECONDS);
    let mut ending = house.ending.clone();
    let answers = service_fn(move |request| {
        let house = Arc::clone(&house);
        async move { Ok::<_, Infallible>(answered(request, uid, &house).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(limits::QUESTION_BYTES_MAX);
    let connection = http.serve_connection(TokioIo::new(stream), answers);
    tokio::pin!(connection);
    // A connection that breaks is no event: whoever it was may come again.
    tokio::select! {
        _ = &mut connection => {}
        _ = ending.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(idle, connection).await;
        }
    }
}

async fn answered(request: Request<Incoming>, uid: u32, house: &House) -> Reply {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/v1/verifications") => {
            verification(request, uid, house).await.unwrap_or_else(|problem| problem)
        }
        (&Method::GET, "/v1/openapi.json") => reply(StatusCode::OK, &JSON, DESCRIPTION.into()),
        (_, "/v1/verifications") => allowing("POST"),
        (_, "/v1/openapi.json") => allowing("GET"),
        _ => problem(StatusCode::NOT_FOUND, "there is nothing of this name", None),
    }
}

async fn verification(
    request: Request<Incoming>,
    uid: u32,
    house: &House,
) -> std::result::Result<Reply, Reply> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(problem(status, "a question is 'application/json'", None));
    }
    let body = Limited::new(request.into_body(), limits::QUESTION_BYTES_MAX).collect();
    let bound = Duration::from_secs(limits::CONNECTION_IDLE_SECONDS);
    let body = match timeout(bound, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "the question is too long", None));
        }
        Ok(Err(_)) => {
            return Err(problem(StatusCode::BAD_REQUEST, "the question did not come whole", None));
        }
        Err(_) => {
            return Err(problem(StatusCode::REQUEST_TIMEOUT, "the question did not come", None));
        }
    };
    // What came is not repeated: it is about somebody.
    let asked: Verification = serde_json::from_slice(&body)
        .map_err(|_| problem(StatusCode::BAD_REQUEST, "this is no question", None))?;
    drop(body);
    // So many at a time, that people and the database are not kept waiting by a program.
    let turn = Duration::from_secs(limits::VERIFYING_WAIT_SECONDS);
    let Ok(Ok(permit)) = timeout(turn, Arc::clone(&house.verifying).acquire_owned()).await else {
        return Err(problem(StatusCode::SERVICE_UNAVAILABLE, "too many questions at once", None));
    };
    let caller = Caller::User { uid };
    let verified = house.ask(|answer| Message::Verify(caller, Box::new(asked), answer)).await;
    match verified.map_err(|error| failed(&error))? {
        Verified::Declared(declared) => {
            let found =
                looked_up(*declared, permit, house).await.map_err(|error| failed(&error))?;
            let answer = serde_json::to_vec(&Answer { resident: found });
            let answer = answer.map_err(|_| failed(&Error::new(Exit::Failed, "no answer")))?;
            Ok(reply(StatusCode::OK, &JSON, answer.into()))
        }
        Verified::TooMany { wait } => {
            let what = "more questions than a minute may have";
            let mut reply = problem(StatusCode::TOO_MANY_REQUESTS, what, None);
            reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
            Err(reply)
        }
    }
}

/// Looks a person up on a thread of its own; the answer goes out once it is logged what it was.
async fn looked_up(
    declared: Declared,
    permit: OwnedSemaphorePermit,
    house: &House,
) -> Result<bool> {
    let (answer, answered) = oneshot::channel();
    let engine = house.engine.clone();
    let run = move || {
        let mut found = Found::default();
        let shown = declared.run(&mut found, &mut |_| false);
        // Also where who asked has hung up: only now is the next one's turn.
        drop(permit);
        let (done, served) = oneshot::channel::<Result<Served>>();
        // Where the engine is gone, nobody hears of it.
        if engine.send(Message::Shown(shown, done)).is_ok() {
            let _ = answer.send((found.0, served));
        }
    };
    let gone = || Error::new(Exit::Unavailable, "the agent is gone");
    house.crew.start("verifying", run).map_err(|_| gone())?;
    let (found, served) = answered.await.map_err(|_| gone())?;
    served.await.map_err(|_| gone())??;
    Ok(found)
}

/// What an error is in HTTP's words.
fn failed(error: &Error) -> Reply {
    let status = match error.exit {
        Exit::Usage | Exit::Data => StatusCode::UNPROCESSABLE_ENTITY,
        Exit::Refused => StatusCode::FORBIDDEN,
        Exit::Later | Exit::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Exit::Failed | Exit::Config => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, &error.what, error.hint.clone())
}

fn allowing(method: &'static str) -> Reply {
    let what = "this is not done here";
    let mut reply = problem(StatusCode::METHOD_NOT_ALLOWED, what, None);
    reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static(method));
    reply
}

fn problem(status: StatusCode, title: &str, detail: Option<String>) -> Reply {
    let problem = Problem { title: title.to_owned(), status: status.as_u16(), detail };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    reply(status, &PROBLEM, body.into())
}

fn reply(status: StatusCode, kind: &HeaderValue, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind.clone());
    // An answer is about somebody, and true for the moment.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

    use super::*;

    /// The description's schemas are those of the types.
    #[test]
    fn the_description_says_what_the_types_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        let mut page: serde_json::Value = serde_json::from_str(DESCRIPTION).unwrap();
        let schemas = [
            ("Verification", schemars::schema_for!(Verification)),
            ("Answer", schemars::schema_for!(Answer)),
            ("Problem", schemars::schema_for!(Problem)),
        ];
        for (name, schema) in schemas {
            let mut schema = serde_json::to_value(schema).unwrap();
            schema.as_object_mut().unwrap().remove("$schema");
            page["components"]["schemas"][name] = schema;
        }
        let made = format!("{}\n", serde_json::to_string_pretty(&page).unwrap());
        if std::env::var_os("BATCHWARD_BLESS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        assert!(made == DESCRIPTION, "docs/openapi.json is stale");
    }
}
