//! `gaseractl context`: daemons by name.

use std::path::PathBuf;

use serde_json::json;

use crate::args::{AddContext, ContextCommand};
use crate::contexts::{self, Context, Contexts};
use crate::failure::{Exit, Failure};
use crate::output::{self, Output};
use crate::view::table;

pub fn execute(output: Output, command: ContextCommand) -> Result<Exit, Failure> {
    let path = contexts::file().ok_or_else(|| {
        Failure::new(Exit::FAILURE, "there is no place for contexts: neither XDG_CONFIG_HOME nor HOME is set")
    })?;
    let mut contexts = Contexts::read(&path)?;
    let said = match command {
        ContextCommand::List => return list(output, &path, &contexts),
        ContextCommand::Use { name } if name == "-" => {
            contexts.current = None;
            "no context is the current one".to_owned()
        }
        ContextCommand::Use { name } => {
            let context = contexts.find(&name)?;
            let said = format!("the current context is {name}: {}", context.endpoint);
            contexts.current = Some(name);
            said
        }
        ContextCommand::Add(added) => add(&mut contexts, added)?,
        ContextCommand::Rm { name } => {
            contexts.contexts.remove(&name).ok_or_else(|| contexts.unknown(&name))?;
            contexts.current = contexts.current.filter(|current| *current != name);
            format!("context {name} is forgotten")
        }
    };
    contexts.write(&path)?;
    output.note(&said);
    Ok(Exit::DONE)
}

fn add(contexts: &mut Contexts, added: AddContext) -> Result<String, Failure> {
    let AddContext { name, at, token, ca, make_current } = added;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.starts_with('-') || !name.chars().all(is_word) {
        let text = format!("{name:?} cannot be the name of a context; take letters, digits, dots, - and _");
        return Err(Failure::new(Exit::USAGE, text));
    }
    let absolute = |path: Option<PathBuf>| path.map(|path| std::path::absolute(&path).unwrap_or(path));
    let context = Context { endpoint: at.to_string(), token_file: absolute(token), ca_file: absolute(ca) };
    let said = format!("context {name}: {}", context.endpoint);
    contexts.contexts.insert(name.clone(), context);
    if make_current {
        contexts.current = Some(name);
    }
    Ok(said)
}

fn list(output: Output, path: &std::path::Path, contexts: &Contexts) -> Result<Exit, Failure> {
    let is_current = |name: &String| contexts.current.as_ref() == Some(name);
    if output.json {
        let each = contexts.contexts.iter().map(|(name, context)| {
            json!({
                "name": name,
                "endpoint": context.endpoint,
                "token_file": context.token_file,
                "ca_file": context.ca_file,
                "current": is_current(name),
            })
        });
        let each: Vec<_> = each.collect();
        output::object(&json!({ "file": path, "current": contexts.current, "contexts": each }))?;
    } else if output.quiet {
        contexts.contexts.keys().try_for_each(|name| output::line(name))?;
    } else if contexts.contexts.is_empty() {
        output.note("there are no contexts; add one with `gaseractl context add NAME ENDPOINT`");
    } else {
        let mut table = table::table(&["CURRENT", "NAME", "ENDPOINT", "TOKEN FILE"], &[]);
        for (name, context) in &contexts.contexts {
            let token = context.token_file.as_ref().map_or_else(|| "-".into(), |path| path.display().to_string());
            table.add_row([if is_current(name) { "*" } else { "" }, name, &context.endpoint, &token]);
        }
        output::bytes(table::written(&table).as_bytes())?;
    }
    Ok(Exit::DONE)
}
