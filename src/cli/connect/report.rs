//! A live connection as a report.

use serde::Serialize;

use crate::cli::output::Report;
use crate::cli::text::{Text, bad, dim, good, strong, warn};
use crate::dial::{Endpoint, Route, RouteOutcome};

/// The whole answer. Field names are the JSON schema `certkit.connect/1`.
#[derive(Serialize)]
pub(super) struct ConnectReport {
    schema: &'static str,
    endpoint: Endpoint,
    route: Route,
}

impl ConnectReport {
    pub(super) fn new(endpoint: Endpoint, route: Route) -> Self {
        Self { schema: "certkit.connect/1", endpoint, route }
    }
}

impl Report for ConnectReport {
    fn text(&self, text: &mut Text) {
        text.line(strong(&self.endpoint));
        route(&self.route, text);
    }
}

/// The addresses tried, and how long each step took.
fn route(route: &Route, text: &mut Text) {
    if let Some(ms) = route.resolve_ms {
        let addresses: Vec<String> = route.addresses.iter().map(ToString::to_string).collect();
        text.line(format_args!("  resolved in {ms:.1} ms: {}", dim(addresses.join(", "))));
    }
    for attempt in &route.attempts {
        let what = match &attempt.outcome {
            RouteOutcome::Connected => good("connected").to_string(),
            RouteOutcome::Failed(why) => bad(why).to_string(),
            RouteOutcome::TimedOut => bad("no answer").to_string(),
            RouteOutcome::Overtaken => warn("slower than another").to_string(),
        };
        text.line(format_args!("  {}: {what} in {:.1} ms", attempt.address, attempt.ms));
    }
}
