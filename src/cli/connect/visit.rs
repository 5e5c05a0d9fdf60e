//! One visit to the server: reached, greeted, asked, left.

use std::time::Duration;

use serde::Serialize;

use super::reach::ReachArgs;
use crate::connect::http::{Request, Response};
use crate::connect::{Client, Failure, Heard};
use crate::dial::{Endpoint, Route};

/// How long is listened, after all was said, for tickets and the server's goodbye.
const FAREWELL: Duration = Duration::from_millis(700);

/// What came of a visit.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) route: Route,
    pub(super) steps: Steps,
    pub(super) heard: Heard,
    pub(super) response: Option<Response>,
    pub(super) failure: Option<Failure>,
}

/// Milliseconds each step took; `null` for steps that were not taken or did not come to their end.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Steps {
    /// To find the addresses of the name.
    pub(super) resolve_ms: Option<f64>,
    /// To connect to the one that answered.
    pub(super) connect_ms: f64,
    /// The dialogue before TLS.
    pub(super) starttls_ms: Option<f64>,
    /// From the ClientHello to the client's Finished.
    pub(super) handshake_ms: Option<f64>,
    /// From the request to the end of the response.
    pub(super) response_ms: Option<f64>,
}

impl Visit {
    /// Visits an endpoint. `early` goes as early data where a ticket allows it.
    pub(super) fn make(
        client: &Client,
        endpoint: &Endpoint,
        reach: &ReachArgs,
        request: Option<&Request>,
        early: &[u8],
    ) -> anyhow::Result<Self> {
        let (dialled, starttls_ms) = reach.reach(endpoint)?;
        let route = dialled.route;
        let mut steps =
            Steps { resolve_ms: route.resolve_ms, connect_ms: route.connect_ms, starttls_ms, ..Steps::default() };
        let mut talk = client.begin(dialled.wire, early)?;
        let watch = talk.stopwatch();
        let begun = watch.elapsed_ms();
        talk.allow(reach.timeout);
        if let Err(failure) = talk.handshake() {
            return Ok(Self { route, steps, heard: talk.abandon(), response: None, failure: Some(failure) });
        }
        let finished = watch.elapsed_ms();
        steps.handshake_ms = Some(finished - begun);
        let mut response = None;
        if let Some(request) = request {
            talk.allow(reach.timeout);
            match talk.exchange(request) {
                Ok(answer) => {
                    steps.response_ms = Some(watch.elapsed_ms() - finished);
                    response = Some(answer);
                }
                Err(failure) => {
                    return Ok(Self { route, steps, heard: talk.abandon(), response: None, failure: Some(failure) });
                }
            }
        }
        let (heard, failure) = talk.finish(FAREWELL.min(reach.timeout));
        Ok(Self { route, steps, heard, response, failure })
    }
}
