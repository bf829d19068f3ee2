//! Asking once more on a new line: for devices whose questions and orders may all be repeated.
//!
//! A line may garble an exchange, and an open descriptor of a port that is gone would keep its name from it when it is
//! back. What the device itself answers, however unwelcome, is not asked again.

/// A driver's way to its device, opened when it is needed. `Q` is what can be asked.
pub(super) trait Reopens<Q: Copy + Send>: Send {
    type Answer: Send;
    type Trouble: Send;

    fn ask(&mut self, question: Q) -> impl Future<Output = Result<Self::Answer, Self::Trouble>> + Send;
    /// The next question goes over a new line.
    fn hang_up(&mut self);
    /// Whether asking again would bring the same.
    fn is_final(trouble: &Self::Trouble) -> bool;
}

pub(super) async fn persist<Q, W>(way: &mut W, question: Q) -> Result<W::Answer, W::Trouble>
where
    Q: Copy + Send,
    W: Reopens<Q>,
{
    match once(way, question).await {
        Err(trouble) if !W::is_final(&trouble) => once(way, question).await,
        answer => answer,
    }
}

async fn once<Q, W>(way: &mut W, question: Q) -> Result<W::Answer, W::Trouble>
where
    Q: Copy + Send,
    W: Reopens<Q>,
{
    let answer = way.ask(question).await;
    if answer.as_ref().is_err_and(|trouble| !W::is_final(trouble)) {
        way.hang_up();
    }
    answer
}
