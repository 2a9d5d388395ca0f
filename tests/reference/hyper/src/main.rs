//! The typed rewrite people would choose instead: hyper, tokio, serde_json. The
//! sum is posted downstream under the request's id and within a deadline.
//!
//! usage: reference PORT [DOWNSTREAM_URL [HOST]]
//! Without a downstream it answers {"sum":N}, with one {"ok":true}.

use hyper::client::HttpConnector;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Client, Method, Request, Response, Server, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

const REQUEST_ID: &str = "x-request-id";
const DOWNSTREAM_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Item {
    value: i64,
}

#[derive(Deserialize)]
struct Order {
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Sum {
    sum: i64,
}

#[derive(Clone)]
struct Downstream {
    client: Client<HttpConnector>,
    uri: Uri,
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn failure(status: StatusCode, what: &str) -> Response<Body> {
    answer(status, format!("{{\"error\":\"{}\"}}", what).into_bytes())
}

async fn exchange(downstream: &Downstream, request: Request<Body>) -> bool {
    match downstream.client.request(request).await {
        Ok(response) => {
            let ok = response.status().is_success();
            hyper::body::to_bytes(response.into_body()).await.is_ok() && ok
        }
        Err(_) => false,
    }
}

async fn post(downstream: &Downstream, body: Vec<u8>, id: Option<HeaderValue>) -> bool {
    let mut request = Request::post(downstream.uri.clone())
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .expect("a request of constants");
    if let Some(id) = id {
        request.headers_mut().insert(REQUEST_ID, id);
    }
    let sent = exchange(downstream, request);
    tokio::time::timeout(DOWNSTREAM_TIMEOUT, sent).await.unwrap_or(false)
}

async fn handle(
    request: Request<Body>,
    downstream: Option<Downstream>,
) -> Result<Response<Body>, Infallible> {
    if request.method() != Method::POST {
        return Ok(failure(StatusCode::METHOD_NOT_ALLOWED, "POST only"));
    }
    let id = request.headers().get(REQUEST_ID).cloned();
    let bytes = match hyper::body::to_bytes(request.into_body()).await {
        Ok(bytes) => bytes,
        Err(_) => return Ok(failure(StatusCode::BAD_REQUEST, "body")),
    };
    let order: Order = match serde_json::from_slice(&bytes) {
        Ok(order) => order,
        Err(_) => return Ok(failure(StatusCode::BAD_REQUEST, "json")),
    };
    let sum = order.items.iter().map(|item| item.value * 2).sum();
    let result = serde_json::to_vec(&Sum { sum }).expect("a number");
    Ok(match downstream {
        None => answer(StatusCode::OK, result),
        Some(downstream) if post(&downstream, result, id).await => {
            answer(StatusCode::OK, b"{\"ok\":true}".to_vec())
        }
        Some(_) => failure(StatusCode::BAD_GATEWAY, "downstream"),
    })
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let port: u16 = arguments[1].parse().expect("PORT");
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let url = arguments.get(2).filter(|url| !url.is_empty());
    let downstream = url.map(|url| Downstream {
        client: Client::builder().build(connector),
        uri: url.parse().expect("DOWNSTREAM_URL"),
    });
    let service = make_service_fn(move |_| {
        let downstream = downstream.clone();
        async move {
            Ok::<_, Infallible>(service_fn(move |request| {
                handle(request, downstream.clone())
            }))
        }
    });
    let host = arguments.get(3).map_or("127.0.0.1", String::as_str);
    let address = SocketAddr::new(host.parse().expect("HOST"), port);
    Server::bind(&address)
        .tcp_nodelay(true)
        .serve(service)
        .await
        .expect("the server");
}
