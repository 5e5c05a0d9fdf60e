//! After an upgrade, octets go both ways as they come: WebSocket (RFC 6455).

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::serve::connections::Ticket;

/// Joins client and server until one of them has enough, or this server stops.
pub(super) async fn join(client: OnUpgrade, server: OnUpgrade, ticket: Arc<Ticket>) {
    ticket.tunnels();
    let _working = ticket.working();
    let exchange = async {
        let (Ok(client), Ok(server)) = (client.await, server.await) else { return };
        // Whoever breaks off ends it for both.
        _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(server)).await;
    };
    tokio::select! {
        () = exchange => {}
        () = ticket.dismissed() => {}
        () = ticket.evicted() => {}
    }
}
