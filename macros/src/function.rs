//! The function that an attribute stands at. Its body is taken as it is, token by token: nobody here needs to
//! understand it, and syn is small without the rules for statements.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Generics, Ident, LitStr, ReturnType, Token, Type, Visibility};

use crate::kind::Kind;

pub(crate) struct Function {
    /// Those before the function, and those at the beginning of its body.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// `unsafe`, `extern "C"` and what else may stand before `fn`, without `async`.
    pub(crate) qualifiers: Vec<TokenTree>,
    pub(crate) is_async: bool,
    pub(crate) fn_token: Token![fn],
    pub(crate) name: Ident,
    /// With the `where` clause.
    pub(crate) generics: Generics,
    /// In their parentheses.
    pub(crate) inputs: Group,
    pub(crate) output: ReturnType,
    /// What stands in the braces, and where those are.
    pub(crate) statements: TokenStream,
    pub(crate) braces: Span,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let mut qualifiers = Vec::new();
        let mut is_async = false;
        while !input.peek(Token![fn]) {
            if input.peek(Token![async]) {
                input.parse::<Token![async]>()?;
                is_async = true;
            } else if input.peek(Token![const])
                || input.peek(Token![unsafe])
                || input.peek(Token![extern])
                || input.peek(LitStr)
            {
                qualifiers.push(input.parse()?);
            } else {
                return Err(input.error("this attribute is for functions: expected `async fn`"));
            }
        }
        let fn_token = input.parse()?;
        let name = input.parse()?;
        let mut generics: Generics = input.parse()?;
        let inputs = group(input, Delimiter::Parenthesis, "expected the function's arguments in parentheses")?;
        let output = input.parse()?;
        generics.where_clause = input.parse()?;
        let body = group(input, Delimiter::Brace, "expected the function's body in braces")?;
        let (inner, statements) = split_body.parse2(body.stream())?;
        // A block may not begin with them; before the function they mean the same.
        attributes.extend(inner.into_iter().map(|attribute| Attribute { style: syn::AttrStyle::Outer, ..attribute }));
        Ok(Function {
            attributes,
            visibility,
            qualifiers,
            is_async,
            fn_token,
            name,
            generics,
            inputs,
            output,
            statements,
            braces: body.span(),
        })
    }
}

fn group(input: ParseStream<'_>, delimiter: Delimiter, expected: &str) -> syn::Result<Group> {
    let at = input.span();
    match input.parse() {
        Ok(TokenTree::Group(group)) if group.delimiter() == delimiter => Ok(group),
        _ => Err(Error::new(at, expected)),
    }
}

fn split_body(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    Ok((input.call(Attribute::parse_inner)?, input.parse()?))
}

impl Function {
    /// What is wrong with the function, for this attribute.
    pub(crate) fn check(&self, kind: Kind) -> syn::Result<()> {
        if !self.is_async {
            let text = format!("`{kind}` is for an `async fn`: write `async` here, or leave the attribute out");
            return Err(Error::new(self.fn_token.span, text));
        }
        let (what, instead) = match kind {
            Kind::Test => ("a test", "write a test for each case, which calls a common function"),
            // Any function may have the attribute, and be called with arguments.
            Kind::Main if self.name != "main" => return Ok(()),
            Kind::Main => ("`main`", "those of the program are in `std::env::args()`"),
        };
        if !self.inputs.stream().is_empty() {
            return Err(Error::new_spanned(self.inputs.stream(), format!("{what} has no arguments: {instead}")));
        }
        if !self.generics.params.is_empty() {
            let text = format!("{what} cannot be generic: call a generic function in it");
            return Err(Error::new_spanned(&self.generics, text));
        }
        match self.attributes.iter().find(|attribute| kind == Kind::Test && is_test(attribute)) {
            Some(second) => {
                let text = format!("`{kind}` makes the function a test already: leave this attribute out");
                Err(Error::new_spanned(second, text))
            }
            None => Ok(()),
        }
    }

    /// The type of the body's value, if it can be named: not so `impl Trait` and `!`.
    pub(crate) fn named_output(&self) -> Option<TokenStream> {
        match &self.output {
            ReturnType::Default => Some(quote!(())),
            ReturnType::Type(_, output) if matches!(**output, Type::Never(_)) => None,
            ReturnType::Type(_, output) => Some(output.to_token_stream()).filter(|tokens| !names_impl(tokens.clone())),
        }
    }

    /// Where the source says what type that is.
    pub(crate) fn output_place(&self) -> Span {
        match &self.output {
            ReturnType::Default => self.name.span(),
            ReturnType::Type(_, output) => output.span(),
        }
    }
}

/// The language's own `#[test]`.
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("test")
}

fn names_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => names_impl(group.stream()),
        _ => false,
    })
}
