//! What becomes of a function. Whatever is wrong, a function of its name remains, so that the only error that users read
//! is the one about what is wrong.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::args::Args;
use crate::function::Function;
use crate::kind::Kind;

pub(crate) fn attribute(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    if let Err(error) = function.check(kind) {
        return stub(&function, &error);
    }
    match Args::parse(kind, args) {
        Ok(args) => expand(kind, &args, &function),
        Err(error) => {
            let (error, function) = (error.into_compile_error(), expand(kind, &Args::default(), &function));
            quote!(#error #function)
        }
    }
}

/// A function of this name that anybody may call, and that consists of the error.
fn stub(function: &Function, error: &syn::Error) -> TokenStream {
    let Function { attributes, visibility, name, output, .. } = function;
    let error = error.to_compile_error();
    quote!(#(#attributes)* #visibility fn #name() #output { #error })
}

fn expand(kind: Kind, args: &Args, function: &Function) -> TokenStream {
    let Function { attributes, visibility, qualifiers, fn_token, name, generics, inputs, output, .. } = function;
    let where_clause = &generics.where_clause;
    let is_test = match kind {
        Kind::Main => None,
        Kind::Test => Some(quote!(#[::core::prelude::v1::test])),
    };
    let body = body(function);
    let run = run(kind, args);
    quote_spanned! {Span::mixed_site()=>
        #(#attributes)*
        #is_test
        #visibility #(#qualifiers)* #fn_token #name #generics #inputs #output #where_clause {
            let body = async move #body;
            #run
        }
    }
}

/// The function's block. It begins with a `return` that is never reached: that tells the compiler what type the block's
/// value has, so that it is coerced to that as in any function, and errors are about the block and not about us.
fn body(function: &Function) -> Group {
    let hint = function.named_output().map(|output| {
        // A value of another type is compared with what stands in the source.
        let place = function.output_place();
        quote_spanned! {Span::mixed_site().located_at(place)=>
            if let ::core::option::Option::Some(output) = ::core::option::Option::None::<#output> {
                return output;
            }
        }
    });
    let statements = &function.statements;
    let mut body = Group::new(Delimiter::Brace, quote!(#hint #statements));
    body.set_span(function.braces);
    body
}

/// Makes the pool, and runs `body` on it.
fn run(kind: Kind, args: &Args) -> TokenStream {
    let filch = args.krate.as_ref().map_or_else(|| quote!(::filch), |path| quote!(#path));
    let workers = args.workers.or((kind == Kind::Test && !args.all_cores).then_some(1));
    let options: TokenStream = [
        workers.map(|workers| quote!(.workers(#workers))),
        args.name.as_ref().map(|name| quote!(.name(#name))),
        args.start_paused.map(|paused| quote!(.start_paused(#paused))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let failure = format!("{kind} cannot build its pool: {{}}");
    match kind {
        // The global pool is made by whoever uses it first, if there is nothing to say about it.
        Kind::Main if options.is_empty() => quote_spanned!(Span::mixed_site()=> #filch::block_on(body)),
        Kind::Main => quote_spanned! {Span::mixed_site()=>
            if let ::core::result::Result::Err(error) = #filch::PoolBuilder::new() #options.build_global() {
                ::core::panic!(#failure, error);
            }
            #filch::block_on(body)
        },
        Kind::Test => quote_spanned! {Span::mixed_site()=>
            let pool = match #filch::PoolBuilder::new() #options.build() {
                ::core::result::Result::Ok(pool) => pool,
                ::core::result::Result::Err(error) => ::core::panic!(#failure, error),
            };
            pool.block_on(body)
        },
    }
}
