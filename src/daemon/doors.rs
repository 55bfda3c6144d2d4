//! Who comes in: people and programs at the control socket, services at theirs. Neither takes the other's seats.

use std::{io, sync::Arc};

use tokio::net::UnixStream;

use super::{
    api,
    control::{Control, Door},
    guest::{self, House},
    seats::Seats,
};
use crate::{service::Result, wiring::Settings};

/// The sockets, removed when the agent ends.
pub(super) struct Doors {
    control: Control,
    services: Option<Control>,
    seats: Arc<Seats>,
    asking: Arc<Seats>,
}

/// Somebody who connected.
pub(super) struct Knock {
    stream: UnixStream,
    service: bool,
}

impl Doors {
    /// Binds them.
    ///
    /// # Errors
    /// As [`Control::bind`].
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let owner = rustix::process::geteuid().as_raw();
        let control = Control::bind(Door::control(&settings.socket))?;
        let services = settings.api.as_deref().map(Door::services).map(Control::bind);
        let services = services.transpose()?;
        Ok(Self { control, services, seats: Seats::new(owner), asking: Seats::new(owner) })
    }

    /// The next one who connects.
    ///
    /// # Errors
    /// A connection was gone before it was taken, or no descriptor is left.
    pub(super) async fn knock(&self) -> io::Result<Knock> {
        let service = async {
            match &self.services {
                Some(services) => services.listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            guest = self.control.listener.accept() => {
                guest.map(|(stream, _)| Knock { stream, service: false })
            }
            service = service => service.map(|(stream, _)| Knock { stream, service: true }),
        }
    }

    /// Serves somebody to the end, where there is a seat.
    pub(super) fn let_in(&self, knock: Knock, house: &Arc<House>) {
        let Knock { stream, service } = knock;
        let seats = if service { &self.asking } else { &self.seats };
        let uid = stream.peer_cred().map(|peer| peer.uid()).ok();
        let seat = uid.and_then(|uid| Some((uid, seats.take(uid)?)));
        let house = Arc::clone(house);
        match seat {
            Some((uid, seat)) => {
                tokio::spawn(async move {
                    match service {
                        true => api::serve(stream, uid, house).await,
                        false => guest::serve(stream, house).await,
                    }
                    drop(seat);
                });
            }
            // A service finds its connection closed, and comes again.
            None if service => {}
            None => {
                tokio::spawn(guest::turn_away(stream));
            }
        }
    }
}
