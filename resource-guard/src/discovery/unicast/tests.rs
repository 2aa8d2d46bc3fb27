use super::*;
use crate::{
    discovery::Way,
    keys::{
        Issuers, Site, Trust,
        testing::{ManualClock, asking},
    },
};
use hickory_resolver::proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Record,
        rdata::{PTR, SRV, TXT},
    },
};
use oauth_core::model::Issuer;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinHandle,
};

const DOMAIN: &str = "facility.test";
/// The longest answer that fits a datagram.
const DATAGRAM: usize = 512;

/// What a name server knows.
#[derive(Default)]
struct Zone {
    records: Vec<(Name, RData)>,
    /// Questions about this name it cannot answer.
    failing: Option<Name>,
}

impl Zone {
    /// An instance of this name, on this host.
    fn advertises(&mut self, label: &str, host: &str) {
        let host = Name::from_ascii(format!("{host}.")).unwrap();
        let txt = ["api_proto=https", "api_ver=v1.0", "pri=10"].map(str::to_owned).to_vec();
        self.records.extend([
            (service(), RData::PTR(PTR(instance(label)))),
            (instance(label), RData::SRV(SRV::new(0, 0, 443, host))),
            (instance(label), RData::TXT(TXT::new(txt))),
        ]);
    }

    fn answer(&self, question: &[u8]) -> Message {
        let question = Message::from_vec(question).unwrap();
        let query = question.queries[0].clone();
        let (name, kind) = (query.name().clone(), query.query_type());
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        answer.add_query(query);
        if self.failing.as_ref() == Some(&name) {
            answer.metadata.response_code = ResponseCode::ServFail;
            return answer;
        }
        for (owner, data) in &self.records {
            if *owner == name && data.record_type() == kind {
                answer.add_answer(Record::from_rdata(owner.clone(), 60, data.clone()));
            }
        }
        answer
    }
}

/// The name of the service, or of an instance of it: a label of whatever bytes.
fn below_domain(labels: &[&[u8]]) -> Name {
    let domain = DOMAIN.split('.').map(str::as_bytes);
    Name::from_labels(labels.iter().copied().chain(domain)).unwrap()
}

fn service() -> Name {
    below_domain(&[b"_nmos-auth", b"_tcp"])
}

fn instance(label: &str) -> Name {
    below_domain(&[label.as_bytes(), b"_nmos-auth", b"_tcp"])
}

/// A name server on loopback. It stops when dropped.
struct NameServer {
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl NameServer {
    async fn start(zone: Zone) -> Self {
        let zone = Arc::new(zone);
        // A port that is free both ways.
        let (datagrams, streams) = loop {
            let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(streams) = TcpListener::bind(datagrams.local_addr().unwrap()).await {
                break (datagrams, streams);
            }
        };
        let address = datagrams.local_addr().unwrap();
        let tasks = [
            tokio::spawn(by_datagram(datagrams, zone.clone())),
            tokio::spawn(async move {
                while let Ok((stream, _)) = streams.accept().await {
                    tokio::spawn(by_stream(stream, zone.clone()));
                }
            }),
        ];
        Self { address, tasks }
    }

    fn asked(&self) -> DnsSd {
        DnsSd::new().unicast_only().domain(DOMAIN).name_server(self.address)
    }
}

async fn by_datagram(socket: UdpSocket, zone: Arc<Zone>) {
    let mut question = [0; DATAGRAM];
    while let Ok((length, from)) = socket.recv_from(&mut question).await {
        let answer = zone.answer(&question[..length]);
        let whole = answer.to_vec().unwrap();
        let sent = if whole.len() > DATAGRAM { answer.truncate().to_vec().unwrap() } else { whole };
        socket.send_to(&sent, from).await.unwrap();
    }
}

async fn by_stream(mut stream: TcpStream, zone: Arc<Zone>) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; length.into()];
        stream.read_exact(&mut question).await.unwrap();
        let answer = zone.answer(&question).to_vec().unwrap();
        stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    }
}

/// The issuers of a facility whose servers are on these hosts.
fn on(site: &str) -> Arc<Issuers> {
    let sites = vec![Site::parse(site).unwrap()];
    let trust = Trust { sites, discovery: true, ..Trust::default() };
    Issuers::new(trust, asking(&ManualClock::default()))
}

/// The hosts that are advertised, and whether these are all.
async fn hosts(server: &NameServer, issuers: &Issuers) -> (Vec<String>, bool) {
    let how = server.asked();
    let mut sieve = Sieve::new(&how, Way::Unicast, issuers);
    let heard = find(&how, &mut sieve).await.unwrap();
    let hosts = heard.adverts.iter().map(|advert| advert.host.as_str().to_owned()).collect();
    (hosts, heard.complete)
}

#[tokio::test]
async fn r9_an_instance_may_have_any_name() {
    let labels =
        ["auth1", "Auth Server 1", "auth_1", "B\u{fc}ro", "v1.0 (rack 3)!", "-", "*", "xn--!"];
    let mut zone = Zone::default();
    let named: Vec<_> = (0..labels.len()).map(|n| format!("as{n}.facility.test")).collect();
    for (label, host) in labels.iter().zip(&named) {
        zone.advertises(label, host);
    }
    let server = NameServer::start(zone).await;
    let (mut found, complete) = hosts(&server, &on("*.facility.test")).await;
    found.sort();
    assert_eq!((found, complete), (named, true));
}

#[tokio::test]
async fn r10_a_question_without_an_answer_is_told_of() {
    let issuers = on("*.facility.test");
    let one = "as1.facility.test";
    for (failing, complete) in [
        (instance("two"), false),
        // Where it is the resolver of this machine may know.
        (Name::from_ascii("as1.facility.test.").unwrap(), true),
    ] {
        let mut zone = Zone { failing: Some(failing), ..Zone::default() };
        zone.advertises("one", one);
        zone.records.push((service(), RData::PTR(PTR(instance("two")))));
        let server = NameServer::start(zone).await;
        assert_eq!(hosts(&server, &issuers).await, (vec![one.to_owned()], complete));
    }
    let server = NameServer::start(Zone { failing: Some(service()), ..Zone::default() }).await;
    let how = server.asked();
    let mut sieve = Sieve::new(&how, Way::Unicast, &issuers);
    assert!(find(&how, &mut sieve).await.is_err());
    // That nothing is there is an answer.
    let server = NameServer::start(Zone::default()).await;
    assert_eq!(hosts(&server, &issuers).await, (Vec::new(), true));
}

#[tokio::test]
async fn r9_a_crowd_on_other_hosts_hides_nobody() {
    let mut zone = Zone::default();
    for n in 0..100 {
        zone.advertises(&format!("evil {n}"), "evil.example");
    }
    zone.advertises("real", "as1.facility.test");
    let server = NameServer::start(zone).await;
    let found = hosts(&server, &on("*.facility.test")).await;
    assert_eq!(found, (vec!["as1.facility.test".to_owned()], true));
}

#[tokio::test]
async fn r9_a_crowd_takes_nobodys_place() {
    let trust = Trust {
        issuers: vec![Issuer::parse("https://known.facility.test").unwrap()],
        sites: vec![Site::parse("*.facility.test").unwrap()],
        discovery: true,
    };
    let issuers = Issuers::new(trust, asking(&ManualClock::default()));
    let mut zone = Zone::default();
    for n in 0..2 * MOST {
        zone.advertises(&format!("crowd {n}"), &format!("as{n}.facility.test"));
    }
    zone.advertises("known", "known.facility.test");
    let server = NameServer::start(zone).await;
    let (found, complete) = hosts(&server, &issuers).await;
    assert_eq!((found.len(), complete), (MOST + 1, true));
    assert_eq!(found.last().map(String::as_str), Some("known.facility.test"));
}
