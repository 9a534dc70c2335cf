//! The arguments of an attribute: what may be said, and what is said about the rest. The names are tokio's.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, Lit, LitInt, LitStr, Path, Token};

use crate::kind::Kind;

#[derive(Default)]
pub(crate) struct Args {
    /// Of a test that does not say how many workers it wants: as many as there are cores.
    pub(crate) all_cores: bool,
    pub(crate) workers: Option<usize>,
    pub(crate) name: Option<LitStr>,
    pub(crate) start_paused: Option<bool>,
    /// Where filch is to be found.
    pub(crate) krate: Option<Path>,
}

/// The names, each with an example of its use.
const KNOWN: [(&str, &str); 5] = [
    ("worker_threads", "worker_threads = 4"),
    ("name", "name = \"app\""),
    ("start_paused", "start_paused = true"),
    ("flavor", "flavor = \"multi_thread\""),
    ("crate", "crate = \"path::to::filch\""),
];

fn example_of(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, example)| *example)
}

impl Args {
    pub(crate) fn parse(kind: Kind, tokens: TokenStream) -> syn::Result<Args> {
        let parser = |input: ParseStream<'_>| {
            let mut args = Args::default();
            let mut seen: Vec<Ident> = Vec::new();
            while !input.is_empty() {
                let name = Ident::parse_any(input)?;
                if seen.contains(&name) {
                    return Err(Error::new(name.span(), format!("`{name}` is given twice")));
                }
                args.parse_one(kind, &name, input)?;
                seen.push(name);
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(args)
        };
        parser.parse2(tokens)
    }

    /// What follows a name.
    fn parse_one(&mut self, kind: Kind, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let text = name.to_string();
        let Some(example) = example_of(&text) else {
            return Err(Error::new(name.span(), unknown(kind, &text)));
        };
        let wanted = format!("write it like this: `{example}`");
        if !input.peek(Token![=]) {
            return Err(Error::new(name.span(), format!("`{name}` needs a value; {wanted}")));
        }
        input.parse::<Token![=]>()?;
        let value: Lit = input.parse().map_err(|error| Error::new(error.span(), &wanted))?;
        let at = value.span();
        match (text.as_str(), value) {
            ("worker_threads", Lit::Int(number)) => self.workers = Some(workers(&number, &wanted)?),
            ("name", Lit::Str(prefix)) => self.name = Some(prefix),
            ("start_paused", Lit::Bool(paused)) => self.start_paused = Some(paused.value),
            ("flavor", Lit::Str(flavor)) => {
                check_flavor(kind, &flavor)?;
                self.all_cores = true;
            }
            ("crate", Lit::Str(path)) => {
                let path = path.parse_with(Path::parse_mod_style);
                self.krate = Some(path.map_err(|_| Error::new(at, &wanted))?);
            }
            _ => return Err(Error::new(at, wanted)),
        }
        Ok(())
    }
}

fn workers(number: &LitInt, wanted: &str) -> syn::Result<usize> {
    match number.base10_parse() {
        Ok(0) => {
            let text = "a pool has one worker at least; leave `worker_threads` out for the default";
            Err(Error::new(number.span(), text))
        }
        Ok(workers) => Ok(workers),
        Err(_) => Err(Error::new(number.span(), wanted)),
    }
}

fn check_flavor(kind: Kind, flavor: &LitStr) -> syn::Result<()> {
    let text = match flavor.value().as_str() {
        "multi_thread" => return Ok(()),
        "current_thread" | "local" => format!(
            "filch has no runtime that keeps to the current thread: {}, and give futures that are not `Send` to \
             `filch::task::LocalSet`",
            kind.one_worker(),
        ),
        other => format!("there is no flavor `{other}`: `multi_thread` is the only one, and the default"),
    };
    Err(Error::new(flavor.span(), text))
}

fn unknown(kind: Kind, name: &str) -> String {
    if matches!(name, "multi_thread" | "current_thread") {
        return format!("a flavor is given as `flavor = \"{name}\"`");
    }
    let known = KNOWN.map(|(name, _)| format!("`{name}`")).join(", ");
    format!(
        "`{kind}` does not know `{name}`, but {known}; for anything else build a pool by `filch::Pool::builder()` \
         in a plain function, and call its `block_on`"
    )
}
