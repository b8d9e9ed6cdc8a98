//! [`Message`] ⇄ frame. Must not know who sends what when.

use bytes::Bytes;

use super::awareness;
use super::limits::{MAX_MESSAGES_PER_FRAME, MAX_REASON_BYTES};
use super::wire::{Reader, WireError, put_bytes, put_uint};
use super::{CloseCode, Control, Message, RejectCode, Status, Welcome};
use crate::ids::{ConnectionId, Epoch, Lineage, Seq};

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const AUTH: u64 = 2;
const QUERY_AWARENESS: u64 = 3;
/// Clear of y-protocols (0–3), Hocuspocus (0–10) and y-sweet (102).
const CONTROL: u64 = 112;

const WELCOME: u64 = 0;
const SAVED: u64 = 1;
const REJECTED: u64 = 2;
const STATUS: u64 = 3;
const CLOSING: u64 = 4;

/// An awareness message without entries: y-websocket clients hang up after 30 s without any
/// message, and WebSocket pings are invisible to JavaScript.
pub const KEEPALIVE: &[u8] = &[1, 1, 0];

/// All messages of one inbound frame. Clients may put several in one frame (`yrs` does).
///
/// Fails as a whole: a frame with a broken message is not obeyed halfway.
pub fn decode(frame: Bytes) -> Result<Vec<Message>, WireError> {
    let mut reader = Reader::new(frame);
    let mut messages = Vec::with_capacity(1);
    while reader.remaining() > 0 {
        if messages.len() == MAX_MESSAGES_PER_FRAME {
            return Err(WireError::TooMany {
                what: "messages in a frame",
                limit: MAX_MESSAGES_PER_FRAME,
            });
        }
        messages.push(decode_message(&mut reader)?);
    }
    Ok(messages)
}

fn decode_message(reader: &mut Reader) -> Result<Message, WireError> {
    match reader.uint()? {
        SYNC => match reader.uint()? {
            0 => reader.bytes().map(Message::SyncStep1),
            1 => reader.bytes().map(Message::SyncStep2),
            2 => reader.bytes().map(Message::Update),
            number => Err(WireError::Unknown {
                what: "sync message",
                number,
            }),
        },
        AWARENESS => reader.bytes().map(Message::Awareness),
        AUTH => match reader.uint()? {
            0 => reader.text().map(Message::Denied),
            number => Err(WireError::Unknown {
                what: "auth message",
                number,
            }),
        },
        QUERY_AWARENESS => {
            // y-sweet's client puts states behind its query, which has no body. Any other message
            // that follows is one.
            let mut states = reader.clone();
            let is_states = states
                .bytes()
                .is_ok_and(|body| states.remaining() == 0 && awareness::decode(body).is_ok());
            if is_states {
                *reader = states;
            }
            Ok(Message::QueryAwareness)
        }
        CONTROL => decode_control(reader.bytes()?).map(Message::Control),
        other => {
            // Its length is unknown, so the rest of the frame is its body.
            reader.take(reader.remaining())?;
            Ok(Message::Unknown(other))
        }
    }
}

fn decode_control(payload: Bytes) -> Result<Control, WireError> {
    let mut reader = Reader::new(payload);
    let control = match reader.uint()? {
        WELCOME => Control::Welcome(Welcome {
            version: reader.uint()?,
            lineage: lineage(&mut reader)?,
            connection: ConnectionId(reader.uint()?),
            epoch: Epoch(reader.uint()?),
            seq: Seq(reader.uint()?),
            max_frame_bytes: reader.uint()?,
        }),
        SAVED => Control::Saved {
            frames: reader.uint()?,
            seq: Seq(reader.uint()?),
        },
        REJECTED => Control::Rejected {
            frame: reader.uint()?,
            code: {
                let number = reader.uint()?;
                RejectCode::from_number(number).ok_or(WireError::Unknown {
                    what: "reject code",
                    number,
                })?
            },
            reason: reader.text()?,
        },
        STATUS => Control::Status(match reader.uint()? {
            0 => Status::Normal,
            1 => Status::Degraded,
            2 => Status::Frozen,
            3 => Status::Draining {
                within_ms: reader.uint()?,
            },
            4 => Status::Incomplete,
            number => {
                return Err(WireError::Unknown {
                    what: "status",
                    number,
                });
            }
        }),
        CLOSING => Control::Closing {
            code: {
                let number = reader.uint()?;
                u16::try_from(number)
                    .ok()
                    .and_then(CloseCode::from_number)
                    .ok_or(WireError::Unknown {
                        what: "close code",
                        number,
                    })?
            },
            retry_after_ms: reader.uint()?,
            reason: reader.text()?,
        },
        number => {
            return Err(WireError::Unknown {
                what: "control message",
                number,
            });
        }
    };
    // Later versions may add fields at the end of a message: what follows is theirs.
    Ok(control)
}

fn lineage(reader: &mut Reader) -> Result<Lineage, WireError> {
    let bytes = reader.take(16)?;
    <[u8; 16]>::try_from(&bytes[..])
        .map(Lineage)
        .map_err(|_| WireError::End)
}

/// One message as one frame: stable y-websocket clients read exactly one message per frame and
/// drop the rest.
pub fn encode(message: &Message) -> Bytes {
    let mut out = Vec::new();
    match message {
        Message::SyncStep1(state_vector) => put_sync(&mut out, 0, state_vector),
        Message::SyncStep2(update) => put_sync(&mut out, 1, update),
        Message::Update(update) => put_sync(&mut out, 2, update),
        Message::Awareness(entries) => {
            out.reserve(entries.len() + 6);
            put_uint(&mut out, AWARENESS);
            put_bytes(&mut out, entries);
        }
        Message::QueryAwareness => put_uint(&mut out, QUERY_AWARENESS),
        Message::Denied(reason) => {
            put_uint(&mut out, AUTH);
            put_uint(&mut out, 0);
            put_reason(&mut out, reason);
        }
        Message::Control(control) => {
            let mut payload = Vec::new();
            put_control(&mut payload, control);
            put_uint(&mut out, CONTROL);
            put_bytes(&mut out, &payload);
        }
        Message::Unknown(number) => put_uint(&mut out, *number),
    }
    out.into()
}

fn put_sync(out: &mut Vec<u8>, subtype: u64, payload: &[u8]) {
    out.reserve(payload.len() + 8);
    put_uint(out, SYNC);
    put_uint(out, subtype);
    put_bytes(out, payload);
}

fn put_control(out: &mut Vec<u8>, control: &Control) {
    match control {
        Control::Welcome(welcome) => {
            put_uint(out, WELCOME);
            put_uint(out, welcome.version);
            out.extend_from_slice(&welcome.lineage.0);
            put_uint(out, welcome.connection.0);
            put_uint(out, welcome.epoch.0);
            put_uint(out, welcome.seq.0);
            put_uint(out, welcome.max_frame_bytes);
        }
        Control::Saved { frames, seq } => {
            put_uint(out, SAVED);
            put_uint(out, *frames);
            put_uint(out, seq.0);
        }
        Control::Rejected {
            frame,
            code,
            reason,
        } => {
            put_uint(out, REJECTED);
            put_uint(out, *frame);
            put_uint(out, *code as u64);
            put_reason(out, reason);
        }
        Control::Status(status) => {
            put_uint(out, STATUS);
            match status {
                Status::Normal => put_uint(out, 0),
                Status::Degraded => put_uint(out, 1),
                Status::Frozen => put_uint(out, 2),
                Status::Draining { within_ms } => {
                    put_uint(out, 3);
                    put_uint(out, *within_ms);
                }
                Status::Incomplete => put_uint(out, 4),
            }
        }
        Control::Closing {
            code,
            retry_after_ms,
            reason,
        } => {
            put_uint(out, CLOSING);
            put_uint(out, u64::from(code.number()));
            put_uint(out, *retry_after_ms);
            put_reason(out, reason);
        }
    }
}

fn put_reason(out: &mut Vec<u8>, reason: &str) {
    let end = reason.floor_char_boundary(MAX_REASON_BYTES);
    put_bytes(out, &reason.as_bytes()[..end]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(hex: &str) -> Bytes {
        hex::decode(hex.replace(' ', ""))
            .expect("hex in a test")
            .into()
    }

    #[test]
    fn frames_as_y_websocket_sends_them() {
        assert_eq!(
            decode(frame("00 00 01 00")),
            Ok(vec![Message::SyncStep1(frame("00"))])
        );
        assert_eq!(
            decode(frame("00 02 0b 01 01 05 00 04 01 01 74 01 61 00")),
            Ok(vec![Message::Update(frame(
                "01 01 05 00 04 01 01 74 01 61 00"
            ))])
        );
        assert_eq!(
            decode(frame("01 06 01 05 00 02 7b 7d")),
            Ok(vec![Message::Awareness(frame("01 05 00 02 7b 7d"))])
        );
    }

    #[test]
    fn several_messages_in_one_frame_are_all_read() {
        assert_eq!(
            decode(frame("00 00 01 00 03")),
            Ok(vec![
                Message::SyncStep1(frame("00")),
                Message::QueryAwareness
            ])
        );
    }

    #[test]
    fn a_query_has_no_body() {
        let query = || Message::QueryAwareness;
        // Whatever follows it in the frame is a message.
        assert_eq!(
            decode(frame("03 00 02 0b 01 01 05 00 04 01 01 74 01 61 00")),
            Ok(vec![
                query(),
                Message::Update(frame("01 01 05 00 04 01 01 74 01 61 00"))
            ])
        );
        assert!(decode(vec![3; MAX_MESSAGES_PER_FRAME + 1].into()).is_err());
        // But for the states that y-sweet's client sends with it.
        assert_eq!(decode(frame("03 06 01 05 00 02 7b 7d")), Ok(vec![query()]));
        assert_eq!(decode(frame("03 03 03")), Ok(vec![query(); 3]));
    }

    #[test]
    fn one_message_above_the_limit_refuses_the_frame() {
        let one = encode(&Message::SyncStep1(Bytes::from_static(&[0])));
        let at = one.repeat(MAX_MESSAGES_PER_FRAME);
        assert_eq!(
            decode(at.clone().into()).map(|messages| messages.len()),
            Ok(MAX_MESSAGES_PER_FRAME)
        );
        let above = [at, one.to_vec()].concat();
        assert!(matches!(
            decode(above.into()),
            Err(WireError::TooMany { .. })
        ));
    }

    #[test]
    fn the_keepalive_is_an_awareness_message_without_entries() {
        assert_eq!(
            decode(Bytes::from_static(KEEPALIVE)),
            Ok(vec![Message::Awareness(frame("00"))])
        );
    }

    #[test]
    fn unknown_types_are_ignored_whole() {
        assert_eq!(decode(frame("66 01 05")), Ok(vec![Message::Unknown(102)]));
    }

    #[test]
    fn long_reasons_are_cut_at_a_character() {
        let reason = "é".repeat(MAX_REASON_BYTES);
        let cut = decode(encode(&Message::Denied(reason))).expect("own frames decode");
        let [Message::Denied(cut)] = &cut[..] else {
            panic!("{cut:?}")
        };
        assert_eq!(cut.len(), MAX_REASON_BYTES);
    }

    fn control() -> impl Strategy<Value = Control> {
        let n = 0u64..(1 << 53);
        prop_oneof![
            (
                any::<[u8; 16]>(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone()
            )
                .prop_map(|(lineage, connection, epoch, seq, max_frame_bytes)| {
                    Control::Welcome(Welcome {
                        version: 1,
                        lineage: Lineage(lineage),
                        connection: ConnectionId(connection),
                        epoch: Epoch(epoch),
                        seq: Seq(seq),
                        max_frame_bytes,
                    })
                }),
            (n.clone(), n.clone()).prop_map(|(frames, seq)| Control::Saved {
                frames,
                seq: Seq(seq)
            }),
            (n.clone(), 1u64..6, "\\PC{0,40}").prop_map(|(frame, code, reason)| {
                Control::Rejected {
                    frame,
                    code: RejectCode::from_number(code).expect("1 to 5 exist"),
                    reason,
                }
            }),
            n.clone()
                .prop_map(|within_ms| Control::Status(Status::Draining { within_ms })),
            Just(Control::Status(Status::Degraded)),
            Just(Control::Status(Status::Incomplete)),
            (0..CloseCode::ALL.len(), n, "\\PC{0,40}").prop_map(|(i, retry_after_ms, reason)| {
                Control::Closing {
                    code: CloseCode::ALL[i],
                    retry_after_ms,
                    reason,
                }
            }),
        ]
    }

    fn message() -> impl Strategy<Value = Message> {
        let payload = || prop::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from);
        prop_oneof![
            payload().prop_map(Message::SyncStep1),
            payload().prop_map(Message::SyncStep2),
            payload().prop_map(Message::Update),
            payload().prop_map(Message::Awareness),
            Just(Message::QueryAwareness),
            "\\PC{0,40}".prop_map(Message::Denied),
            control().prop_map(Message::Control),
        ]
    }

    proptest! {
        #[test]
        fn messages_come_back(message in message()) {
            prop_assert_eq!(decode(encode(&message)), Ok(vec![message]));
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = decode(bytes.into());
        }
    }
}
